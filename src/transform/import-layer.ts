import { RATIO_LIMIT } from "../compress/compressed-data.ts";
import type { Compression } from "../compress/detect.ts";
import type { GzipProfile } from "../compress/gzip/gzip-profile.ts";
import type { BlobSource, PendingBlob, PendingKey } from "../content/contracts.ts";
import type { Digest } from "../oci/digest.ts";
import { gzipLayer, type RawCheck } from "./gzip-layer.ts";

/** What a layer can be made of: a tar, compressed or not, or a folder that becomes one while it is read. */
export interface RawLayer {
  /** As messages name it. */
  readonly what: string;
  /** The size may be an estimate. */
  readonly blob: BlobSource;
  readonly compression?: Compression | undefined;
  check(): RawCheck;
}

export interface LayerForm {
  readonly mediaType: string;
  /** Undefined leaves the layer uncompressed. */
  readonly profile: GzipProfile | undefined;
}

/** @param diffId when it is known already: then the digest cache may know the layer. */
export function importedLayer(layer: RawLayer, form: LayerForm, diffId?: Digest): PendingBlob {
  const { what, blob, compression, check } = layer;
  const digest: Digest = diffId ?? `sha256:${"0".repeat(64)}`;
  const known: PendingKey | undefined =
    diffId === undefined ? undefined : `pending:${diffId}+${form.profile?.name ?? "raw"}`;
  return {
    key: known ?? `pending:${what}`,
    resumeKey: known,
    mediaType: form.mediaType,
    sourceBytes: blob.size,
    origin: { mediaType: form.mediaType, digest, size: blob.size },
    open: async (signal, onBytes) =>
      gzipLayer(blob, {
        ...form,
        what: `layer from ${what}`,
        compression,
        // What a person imports may be written as it is: a bomb is refused (security case Z-01).
        ratioLimit: RATIO_LIMIT,
        diffId,
        hint: "The file changed while it was read: import it again when nothing writes to it.",
        check: check(),
        signal,
        onBytes,
      }),
  };
}
