import type { CopyPlan } from "../content/contracts.ts";
import { OCI_ARTIFACT_MANIFEST } from "../oci/media-types.ts";
import { quote } from "../util/format.ts";

/** A note about each planned manifest of a type whose references are not known, so that only its bytes are copied. */
export function unknownTypes({ manifests }: Pick<CopyPlan, "manifests">): readonly string[] {
  return [...manifests.values()].flatMap(({ descriptor: { digest }, view: { kind, mediaType } }) =>
    kind !== "other" || mediaType === OCI_ARTIFACT_MANIFEST
      ? []
      : [
          `Copying manifest ${digest} as it is: what its media type ${quote(mediaType)} refers to is not known, ` +
            "so nothing is copied with it",
        ],
  );
}
