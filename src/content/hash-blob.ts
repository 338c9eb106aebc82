import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import { createBlobHash } from "./blob-hash.ts";
import type { BlobSource } from "./contracts.ts";
import { pumpBlob } from "./pump.ts";

/** Reads a whole blob to compute its digest. */
export async function hashBlob(blob: BlobSource, algorithm: DigestAlgorithm, signal?: AbortSignal): Promise<Digest> {
  const hash = createBlobHash(algorithm, blob.size);
  try {
    await pumpBlob(blob, async chunk => await hash.update(chunk), signal);
  } catch (error) {
    await hash.drop();
    throw error;
  }
  return await hash.digest();
}
