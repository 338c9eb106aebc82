import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { IntegrityError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestOf } from "../oci/digest.ts";
import { allEnded } from "../util/promises.ts";
import { createBlobHash } from "./blob-hash.ts";
import type { BlobSource } from "./contracts.ts";
import { pumpBlob } from "./pump.ts";

/**
 * The same blob, with size and digest checked before its last byte is delivered. Ranges are not checked.
 *
 * @param where names the source in error messages.
 */
export function verified(descriptor: Descriptor, source: BlobSource, where: string): BlobSource {
  const algorithm = digestAlgorithm(descriptor.digest);
  const check = (digest: Digest | undefined, bytes: number): void => {
    if (digest === descriptor.digest && bytes === descriptor.size) return;
    throw mismatch(descriptor, digest, bytes, where);
  };
  const { whole } = source;
  return {
    size: descriptor.size,
    isOneShot: source.isOneShot ?? false,
    ...(whole && {
      async whole(signal?: AbortSignal) {
        const bytes = await whole.call(source, signal);
        check(digestOf(bytes, algorithm), bytes.length);
        return bytes;
      },
    }),
    async open(range, signal) {
      const stream = await source.open(range, signal);
      if (range !== undefined) return stream;
      const checked = Readable.from(checkedParts(stream, algorithm, descriptor.size, check), { objectMode: false });
      // A generator that never started would not close it.
      return checked.once("close", () => stream.destroy());
    },
    async pump(sink, signal) {
      const hash = createBlobHash(algorithm, descriptor.size);
      let bytes = 0;
      try {
        await pumpBlob(
          source,
          async (chunk, position) => {
            bytes += chunk.length;
            if (bytes > descriptor.size) check(undefined, bytes);
            await allEnded([hash.update(chunk), sink(chunk, position)]);
          },
          signal,
        );
      } catch (error) {
        await hash.drop();
        throw error;
      }
      check(await hash.digest(), bytes);
    },
  };
}

async function* checkedParts(
  stream: Readable,
  algorithm: string,
  size: number,
  check: (digest: Digest | undefined, bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const hash = createHash(algorithm);
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > size) check(undefined, bytes);
    hash.update(part);
    yield part;
  }
  check(`${algorithm}:${hash.digest("hex")}` as Digest, bytes);
}

function mismatch(wanted: Descriptor, digest: Digest | undefined, bytes: number, where: string): IntegrityError {
  const found = digest === undefined ? `more than ${bytes - 1} bytes` : `${digest} (${bytes} bytes)`;
  return new IntegrityError(
    `Cannot accept blob from ${where}: found ${found}, expected ${wanted.digest} (${wanted.size} bytes)`,
    {
      hint: "The bytes were altered or cut on their way: check the medium or a proxy in between, then fetch it again.",
    },
  );
}
