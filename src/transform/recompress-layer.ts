import type { LayerProfile } from "../compress/layer-profile.ts";
import type { BlobSource, PendingStream } from "../content/contracts.ts";
import { verified } from "../content/verified.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { packLayer } from "./pack-layer.ts";

/**
 * A layer in another compression; the input is verified while it is read. The same layer gives the same bytes on any
 * machine. The stream throws IntegrityError at its end if the layer does not have its diff_id.
 *
 * @param profile undefined gives the plain tar.
 */
export function recompressLayer(
  layer: Descriptor,
  blob: BlobSource,
  diffId: Digest,
  profile: LayerProfile | undefined,
  signal?: AbortSignal,
): PendingStream {
  const what = `layer ${layer.digest}`;
  return packLayer(verified(layer, blob, what), {
    mediaType: layer.mediaType,
    profile,
    diffId,
    hint: "The image was damaged or built wrongly: its config names another layer. No runtime would load it.",
    what,
    // A plain tar may start with a file called "BZh"; a layer with its diff_id as digest is not compressed.
    compression: layer.digest === diffId ? undefined : "detect",
    signal,
  });
}
