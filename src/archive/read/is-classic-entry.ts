import type { DockerImageEntry } from "../../oci/docker-manifest.ts";
import { layerCompression } from "../../oci/media-types.ts";

/** As in DockerImage. */
export function isClassicEntry({ layerSources }: DockerImageEntry): boolean {
  return [...layerSources].some(
    ([diffId, layer]) => layer.digest === diffId && layerCompression(layer.mediaType) === "none",
  );
}
