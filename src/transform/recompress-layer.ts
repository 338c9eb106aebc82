import type { GzipProfile } from "../compress/gzip/gzip-profile.ts";
import type { BlobSource, PendingStream } from "../content/contracts.ts";
import { verified } from "../content/verified.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { gzipLayer } from "./gzip-layer.ts";

/**
 * A layer in another compression; what it is made of is verified on the way. The same layer gives the same bytes on any
 * machine. The stream throws IntegrityError at its end when the layer is not its diff_id.
 *
 * @param profile undefined makes it the plain tar.
 */
export function recompressLayer(
  layer: Descriptor,
  blob: BlobSource,
  diffId: Digest,
  profile: GzipProfile | undefined,
  signal?: AbortSignal,
): PendingStream {
  const what = `layer ${layer.digest}`;
  return gzipLayer(verified(layer, blob, what), {
    mediaType: layer.mediaType,
    profile,
    diffId,
    hint: "The image was damaged or built wrongly: its config names another layer. No runtime would load it.",
    what,
    // A plain tar may begin with a file called "BZh": what hashes to its diff_id is not compressed.
    compression: layer.digest === diffId ? undefined : "detect",
    signal,
  });
}
