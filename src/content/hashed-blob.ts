import { Readable } from "node:stream";
import { InternalError } from "../errors.ts";
import type { Digest, DigestAlgorithm } from "../oci/digest.ts";
import { allEnded } from "../util/promises.ts";
import { blobChunks } from "./blob-chunks.ts";
import { type BlobHash, createBlobHash } from "./blob-hash.ts";
import type { BlobSource, PendingStream, Seal } from "./contracts.ts";
import { pumpBlob } from "./pump.ts";

export interface HashedBlob {
  readonly blob: BlobSource;
  digest(): Promise<Digest>;
}

/** The same blob; its digest is known after it was pumped, or read as a whole, once. */
export function hashedBlob(blob: BlobSource, algorithm: DigestAlgorithm = "sha256"): HashedBlob {
  let hash = createBlobHash(algorithm, blob.size);
  return {
    blob: {
      size: blob.size,
      isOneShot: blob.isOneShot ?? false,
      async open(_range, signal) {
        // On this thread: parts of a stream would have to be copied for another one.
        hash = createBlobHash(algorithm, 0);
        const stream = await blob.open(undefined, signal);
        const parts = Readable.from(hashedParts(stream, hash), { objectMode: false });
        // A generator that never started would not close it.
        return parts.once("close", () => stream.destroy());
      },
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

async function* hashedParts(stream: Readable, hash: BlobHash): AsyncGenerator<Uint8Array, void> {
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    await hash.update(part);
    yield part;
  }
}

/** @param parts return the seal after the last part. */
export function sealedStream(what: string, parts: AsyncGenerator<Uint8Array, Seal>): PendingStream {
  let sealed: Seal | undefined;
  async function* body(): AsyncGenerator<Uint8Array, void> {
    sealed = yield* parts;
  }
  return {
    body: body(),
    seal() {
      if (sealed === undefined) throw new InternalError(`Cannot seal ${what}: its end was not reached`);
      return sealed;
    },
  };
}

/** A blob as it is, with a digest that is unknown before its last byte. */
export function unnamedStream(
  blob: BlobSource,
  mediaType: string,
  signal?: AbortSignal,
  onBytes?: (bytes: number) => void,
): PendingStream {
  const hashed = hashedBlob(blob);
  async function* parts(): AsyncGenerator<Uint8Array, Seal> {
    for await (const chunk of blobChunks(hashed.blob, signal)) {
      onBytes?.(chunk.length);
      yield chunk;
    }
    return { descriptor: { mediaType, digest: await hashed.digest(), size: blob.size } };
  }
  return sealedStream("blob", parts());
}
