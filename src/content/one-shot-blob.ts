import { Readable } from "node:stream";
import { InternalError } from "../errors.ts";
import { abortable, deferred } from "../util/promises.ts";
import { blobChunks } from "./blob-chunks.ts";
import { ChunkFiller } from "./chunks/chunk-filler.ts";
import { createFlow } from "./chunks/flow.ts";
import type { BlobSource, ByteSink } from "./contracts.ts";

/** Both ends of a blob that can be read only once: its reader pumps `blob`, its writer feeds the bytes. */
export interface OneShotBlob {
  readonly blob: BlobSource;
  /**
   * Waits until the reader has started and has room. `part` must not change until the promise settles.
   *
   * @returns false if the reader does not need the rest.
   */
  feed(part: Uint8Array): Promise<boolean>;
  end(): void;
  /** Tells the writer not to wait for the reader, which has ended. */
  leave(): void;
}

/** @param size bytes that will be fed. */
export function oneShotBlob(size: number): OneShotBlob {
  const reader = deferred<ChunkFiller | undefined>();
  const fed = deferred<void>();
  let isUsed = false;
  const blob: BlobSource = {
    size,
    isOneShot: true,
    async pump(sink: ByteSink, signal?: AbortSignal) {
      if (isUsed) throw new InternalError("Cannot read one-shot blob again: already read, expected one reading");
      isUsed = true;
      const flow = createFlow(sink, signal);
      const filler = new ChunkFiller(flow);
      reader.resolve(filler);
      try {
        await abortable(fed.promise, flow.signal);
        filler.end();
      } catch (error) {
        filler.rewind();
        flow.fail(error);
      }
      await flow.settled();
    },
    open: async (_range, signal) => Readable.from(copies(blob, signal), { objectMode: false }),
  };
  return {
    blob,
    async feed(part) {
      const filler = await reader.promise;
      if (filler === undefined) return false;
      try {
        await filler.take(part);
        return true;
      } catch {
        // The reader knows why it stopped.
        return false;
      }
    },
    end: () => fed.resolve(),
    leave: () => reader.resolve(undefined),
  };
}

async function* copies(blob: BlobSource, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of blobChunks(blob, signal)) yield Buffer.from(chunk);
}
