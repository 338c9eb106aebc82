import { RATIO_LIMIT } from "../compress/compressed-data.ts";
import type { Compression } from "../compress/detect.ts";
import type { LayerProfile } from "../compress/layer-profile.ts";
import type { BlobSource, PendingBlob, PendingKey } from "../content/contracts.ts";
import type { Digest } from "../oci/digest.ts";
import { packLayer, type RawCheck } from "./pack-layer.ts";

/** The input of a layer: a tar, compressed or not, or a folder that is packed while it is read. */
export interface RawLayer {
  /** As messages name it. */
  readonly what: string;
  /** The size may be an estimate. */
  readonly blob: BlobSource;
  readonly compression?: Compression | undefined;
  check(): RawCheck;
}

export interface LayerOutput {
  readonly mediaType: string;
  /** Undefined leaves the layer uncompressed. */
  readonly profile: LayerProfile | undefined;
}

/** @param diffId if it is known: then the digest cache may contain the layer. */
export function importedLayer(layer: RawLayer, output: LayerOutput, diffId?: Digest): PendingBlob {
  const { what, blob, compression, check } = layer;
  const digest: Digest = diffId ?? `sha256:${"0".repeat(64)}`;
  const known: PendingKey | undefined =
    diffId === undefined ? undefined : `pending:${diffId}+${output.profile?.name ?? "raw"}`;
  return {
    key: known ?? `pending:${what}`,
    resumeKey: known,
    mediaType: output.mediaType,
    what: `layer from ${what}`,
    sourceBytes: blob.size,
    origin: { mediaType: output.mediaType, digest, size: blob.size },
    open: async (signal, onBytes) =>
      packLayer(blob, {
        ...output,
        what: `layer from ${what}`,
        compression,
        // An imported layer may be written uncompressed, so a bomb is refused (security case Z-01).
        ratioLimit: RATIO_LIMIT,
        diffId,
        hint: "The file changed while it was read: make sure that nothing writes to it, and import it again.",
        check: check(),
        signal,
        onBytes,
      }),
  };
}
