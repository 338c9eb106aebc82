import { Readable } from "node:stream";
import { InternalError } from "../errors.ts";
import { abortable, deferred } from "../util/promises.ts";
import { blobChunks } from "./blob-chunks.ts";
import { ChunkFiller } from "./chunks/chunk-filler.ts";
import { createFlow } from "./chunks/flow.ts";
import type { BlobSource, ByteSink } from "./contracts.ts";

/** Both ends of a blob that passes by a single time: its reader pumps `blob`, its writer feeds the bytes. */
export interface OneShotBlob {
  readonly blob: BlobSource;
  /**
   * Waits until the reader has begun and has room. `part` must stay as it is until the promise settles.
   *
   * @returns false when nobody wants the rest.
   */
  feed(part: Uint8Array): Promise<boolean>;
  end(): void;
  /** The reader has gone: the writer need not wait for it. */
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
      if (isUsed) throw new InternalError("Cannot read blob from stream: it has passed by, expected to read it once");
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
