import type { ImageView } from "./manifest.ts";
import { isImageConfigType, isLayerType } from "./media-types.ts";

/** The parts that distinguish an image from an artifact. */
export type ImageParts = Pick<ImageView, "config" | "layers" | "artifactType">;

/**
 * Whether an image manifest describes something else than a root filesystem: a chart, a signature, an attestation
 * (image-spec manifest.md, "Guidelines for Artifact Usage"). The config's media type alone does not say it: cosign,
 * BuildKit and early versions of helm and oras use that of an image. One layer of another type is enough, because a
 * loader unpacks every layer, and fails at the first one that it cannot unpack.
 */
export function isArtifact({ config, layers, artifactType }: ImageParts): boolean {
  return (
    artifactType !== undefined ||
    !isImageConfigType(config.mediaType) ||
    layers.some(({ mediaType }) => !isLayerType(mediaType))
  );
}
