import { InternalError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { allEnded } from "../util/abort.ts";
import { blobChunks } from "./blob-chunks.ts";
import { createBlobHash } from "./blob-hash.ts";
import type { BlobSource, PendingStream } from "./contracts.ts";
import { pumpBlob } from "./pump.ts";

/** The same blob, which tells its sha256 when it has been pumped. */
export function hashedBlob(blob: BlobSource): { readonly blob: BlobSource; digest(): Promise<Digest> } {
  const hash = createBlobHash("sha256", blob.size);
  return {
    blob: {
      ...blob,
      async pump(sink, signal) {
        try {
          await pumpBlob(
            blob,
            async (chunk, position) => void (await allEnded([hash.update(chunk), sink(chunk, position)])),
            signal,
          );
        } catch (error) {
          await hash.drop();
          throw error;
        }
      },
    },
    digest: async () => await hash.digest(),
  };
}

/** A blob as it is, whose digest its last byte tells. */
export function unnamedStream(
  blob: BlobSource,
  mediaType: string,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): PendingStream {
  const hashed = hashedBlob(blob);
  let digest: Digest | undefined;
  async function* body(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of blobChunks(hashed.blob, signal)) {
      onBytes?.(chunk.length);
      yield chunk;
    }
    digest = await hashed.digest();
  }
  return {
    body: body(),
    seal() {
      if (digest === undefined) throw new InternalError("Cannot seal blob: its end was not reached");
      return { descriptor: { mediaType, digest, size: blob.size } };
    },
  };
}
