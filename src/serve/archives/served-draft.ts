import type { ManifestDraft } from "../../content/contracts.ts";
import { isPending } from "../../content/draft-manifest.ts";
import { DOCKER_MANIFEST, layerCompression, toDockerLayerType, toOciLayerType } from "../../oci/media-types.ts";

/** Whether a manifest can name the layers as they are: no media type is registered for those of xz and bzip2. */
export function hasServedLayers({ mediaType, layers }: ManifestDraft): boolean {
  const toType = mediaType === DOCKER_MANIFEST ? toDockerLayerType : toOciLayerType;
  return layers.every(layer => {
    if (isPending(layer)) return false;
    const type = toType(layer.mediaType);
    return type !== undefined && layerCompression(type) === layerCompression(layer.mediaType);
  });
}
