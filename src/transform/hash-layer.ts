import type { Compression } from "../compress/detect.ts";
import type { BlobSource } from "../content/contracts.ts";
import { hashedBlob } from "../content/hashed-blob.ts";
import { pumpBlob } from "../content/pump.ts";
import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import { inflatedBlob } from "./inflated-blob.ts";
import type { RawCheck } from "./pack-layer.ts";

export interface LayerHashes {
  /** Of the bytes as they are. */
  readonly digest: Digest;
  /** sha256 of the inflated bytes, of a compressed layer. */
  readonly diffId?: Digest;
}

export interface HashLayerOptions {
  /** Of the digest. */
  readonly algorithm: DigestAlgorithm;
  /** As messages name it. */
  readonly what: string;
  readonly compression: Compression | undefined;
  readonly check?: RawCheck;
}

/**
 * Reads a blob once for its digest and its diff_id.
 *
 * @throws ArchiveError if a compressed layer is damaged.
 */
export async function hashLayer(
  blob: BlobSource,
  { algorithm, what, compression, check }: HashLayerOptions,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<LayerHashes> {
  const hashed = hashedBlob(blob, algorithm);
  if (compression === undefined) {
    await pumpBlob(
      hashed.blob,
      async chunk => {
        check?.take(chunk);
        onBytes(chunk.length);
      },
      signal,
    );
    check?.end();
    return { digest: await hashed.digest() };
  }
  const raw = hashedBlob(inflatedBlob(hashed.blob, { compression, what, onBytes }));
  // Not pumped: a one-shot blob keeps chunks of the pool already.
  for await (const part of (await raw.blob.open(undefined, signal)) as AsyncIterable<Uint8Array>) check?.take(part);
  check?.end();
  return { digest: await hashed.digest(), diffId: await raw.digest() };
}
