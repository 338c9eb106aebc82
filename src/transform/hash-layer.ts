import type { Compression } from "../compress/detect.ts";
import type { BlobSource } from "../content/contracts.ts";
import { hashedBlob } from "../content/hashed-blob.ts";
import { pumpBlob } from "../content/pump.ts";
import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import type { RawCheck } from "./gzip-layer.ts";
import { inflatedBlob } from "./inflated-blob.ts";

export interface LayerHashes {
  /** Of the bytes as they are. */
  readonly digest: Digest;
  /** sha256 of what a compressed layer inflates to. */
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
 * Reads a blob once for both of its identities.
 *
 * @throws ArchiveError when a compressed layer is damaged; its digest is not told then.
 */
export async function hashLayer(
  blob: BlobSource,
  { algorithm, what, compression, check }: HashLayerOptions,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<LayerHashes> {
  const stored = hashedBlob(blob, algorithm);
  if (compression === undefined) {
    await pumpBlob(
      stored.blob,
      async chunk => {
        check?.take(chunk);
        onBytes(chunk.length);
      },
      signal,
    );
    check?.end();
    return { digest: await stored.digest() };
  }
  const raw = hashedBlob(inflatedBlob(stored.blob, { compression, what, onBytes }));
  // Not pumped: a blob that passes by once holds chunks of the pool already.
  for await (const part of (await raw.blob.open(undefined, signal)) as AsyncIterable<Uint8Array>) check?.take(part);
  check?.end();
  return { digest: await stored.digest(), diffId: await raw.digest() };
}
