import type { ImageSource } from "../../content/contracts.ts";
import { derivedSource } from "../../content/derived-source.ts";
import { type OnProgress, stepTo } from "../../content/progress.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isImageConfigType, isManifestType } from "../../oci/media-types.ts";

/**
 * The source, which reports how many manifests and configs were read of it, each once, until the first layer is: thousands
 * of images take time before the first byte of a layer moves.
 */
export function reportedReads(source: ImageSource, onProgress: OnProgress | undefined): ImageSource {
  if (onProgress === undefined) return source;
  const seen = new Set<Digest>();
  const steps = { manifests: stepTo(onProgress, "manifests"), configs: stepTo(onProgress, "configs") };
  let isMoving = false;
  const note = ({ digest, mediaType }: Descriptor): void => {
    const isManifest = isManifestType(mediaType);
    isMoving ||= !isManifest && !isImageConfigType(mediaType);
    if (isMoving || seen.has(digest)) return;
    seen.add(digest);
    if (isManifest) steps.manifests();
    else steps.configs();
  };
  return derivedSource(source, {
    async blob(descriptor, signal) {
      const blob = await source.blob(descriptor, signal);
      note(descriptor);
      return blob;
    },
  });
}
