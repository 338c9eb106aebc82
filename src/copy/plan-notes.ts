import type { CopyPlan } from "../content/contracts.ts";
import { publisherOf } from "../oci/foreign-layer.ts";
import { OCI_ARTIFACT_MANIFEST } from "../oci/media-types.ts";
import { formatBytes, quote } from "../util/format.ts";

/**
 * What a person should know of a plan before it is carried out.
 *
 * @param sourceName names the source.
 */
export function planNotes(plan: CopyPlan, sourceName: string): readonly string[] {
  return [...wrongSizes(plan), ...unknownTypes(plan), ...leftOutLayers(plan, sourceName)];
}

/**
 * A note about manifests whose index states another size than they have; none if there are none. Measured: containerd
 * refuses to pull them (containerd/containerd#2401), but imports them; docker's classic store, podman and skopeo do not
 * compare sizes.
 */
export function wrongSizes({ manifests }: Pick<CopyPlan, "manifests">): readonly string[] {
  const wrong = [...manifests.values()].flatMap(({ descriptor: { digest, size }, statedSize }) =>
    statedSize === undefined ? [] : [`${digest} (${size} bytes, stated ${statedSize})`],
  );
  const [first] = wrong;
  if (first === undefined) return [];
  const which = wrong.length === 1 ? first : `${wrong.length} manifests, such as ${first}`;
  return [
    `An index states a wrong size for ${which}. The digest is right, so the bytes are right; containerd compares sizes ` +
      "and cannot pull such an index from a registry, docker, podman and skopeo can",
  ];
}

/** A note about each planned manifest of a type whose references are not known, so that only its bytes are copied. */
function unknownTypes({ manifests }: Pick<CopyPlan, "manifests">): readonly string[] {
  return [...manifests.values()].flatMap(({ descriptor: { digest }, view: { kind, mediaType } }) =>
    kind !== "other" || mediaType === OCI_ARTIFACT_MANIFEST
      ? []
      : [
          `Copying manifest ${digest} as it is: what its media type ${quote(mediaType)} refers to is not known, ` +
            "so nothing is copied with it",
        ],
  );
}

/** A note about each foreign layer that the source lacks. */
function leftOutLayers({ leftOut = [] }: CopyPlan, sourceName: string): readonly string[] {
  return leftOut.map(
    layer =>
      `Leaving out foreign layer ${layer.digest} (${formatBytes(layer.size)}): not in ${sourceName}${publisherOf(layer)}`,
  );
}
