import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import { createBlobHash } from "./blob-hash.ts";
import type { BlobSource } from "./contracts.ts";
import { pumpBlob } from "./pump.ts";

/** Reads a whole blob to compute its digest. @param onBytes is called with the number of bytes that were hashed. */
export async function hashBlob(
  blob: BlobSource,
  algorithm: DigestAlgorithm,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): Promise<Digest> {
  const hash = createBlobHash(algorithm, blob.size);
  try {
    const update = async (chunk: Uint8Array): Promise<void> => {
      const { length } = chunk;
      await hash.update(chunk);
      onBytes?.(length);
    };
    await pumpBlob(blob, update, signal);
  } catch (error) {
    await hash.drop();
    throw error;
  }
  return await hash.digest();
}
