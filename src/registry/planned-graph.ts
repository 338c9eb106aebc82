import type { CopyPlan } from "../content/contracts.ts";
import type { Digest } from "../oci/digest.ts";
import { manifestChildren } from "../oci/manifest.ts";
import { isForeignLayerType } from "../oci/media-types.ts";

/** Manifests with a layer that a registry need not have. */
export function withForeignLayers({ manifests }: CopyPlan): ReadonlySet<Digest> {
  return new Set(
    [...manifests].flatMap(([digest, { view }]) =>
      view.kind === "image" && view.layers.some(({ mediaType }) => isForeignLayerType(mediaType)) ? [digest] : [],
    ),
  );
}

/** Manifests that others name. */
export function childrenOf({ manifests }: CopyPlan): ReadonlySet<Digest> {
  return new Set([...manifests.values()].flatMap(({ view }) => manifestChildren(view).map(({ digest }) => digest)));
}
