import { Readable } from "node:stream";
import type { BlobSource, PendingStream, Seal } from "../content/contracts.ts";

/** Reads a layer to its end, to learn its digest. */
export async function sealLayer(stream: PendingStream): Promise<Seal> {
  for await (const _part of stream.body);
  return stream.seal();
}

/**
 * A layer of known size, made again each time it is opened: the same bytes, as long as its input does not change.
 */
export function reproducibleLayer(
  make: (signal: AbortSignal | undefined) => Promise<PendingStream>,
  size: number,
  isOneShot: boolean = false,
): BlobSource {
  return {
    size,
    isOneShot,
    async open(range, signal) {
      const { body } = await make(signal);
      return Readable.from(cut(body, range?.start ?? 0, range?.end ?? size), { objectMode: false });
    },
    /**
     * Sends parts in the chunks that contain them. Through `open`, each blob would keep chunks of the pool while it waits
     * for others of the same pool to copy its parts to: several such blobs could wait for each other.
     */
    async pump(sink, signal) {
      const { body } = await make(signal);
      let position = 0;
      for await (const part of body) {
        await sink(part, position);
        position += part.length;
      }
    },
  };
}

/** Copies, because the memory of a part is reused when the next one is requested. */
async function* cut(parts: AsyncIterable<Uint8Array>, start: number, end: number): AsyncGenerator<Uint8Array> {
  let position = 0;
  for await (const part of parts) {
    const wanted = part.subarray(Math.max(0, start - position), Math.max(0, end - position));
    if (wanted.length > 0) yield Buffer.from(wanted);
    position += part.length;
  }
}
