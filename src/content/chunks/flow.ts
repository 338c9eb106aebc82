import { deferred } from "../../util/promises.ts";
import type { ByteSink } from "../contracts.ts";
import { CHUNKS_PER_BLOB, sharedChunks } from "./chunks.ts";

/** The way of one blob's chunks from the pool through a sink and back, a bounded number at once. */
export interface Flow {
  /** Aborts as soon as either side failed or the caller's signal aborted: for reads that should stop then. */
  readonly signal: AbortSignal;
  /** A pool chunk for the next bytes. Rejects as soon as the sink failed or the signal aborted. */
  acquire(): Promise<Uint8Array>;
  /** The same without waiting; undefined when `acquire` would have to wait or fail. */
  tryAcquire(): Uint8Array | undefined;
  /** Passes `part` of `chunk` on; the chunk returns to the pool when the sink is done with it, at once after a failure. */
  hand(chunk: Uint8Array, part: Uint8Array, position: number): void;
  fail(error: unknown): void;
  /** When every chunk is back. @throws the first failure, of either side. */
  settled(): Promise<void>;
}

export function createFlow(sink: ByteSink, signal?: AbortSignal): Flow {
  const underWay = new Set<Promise<void>>();
  const stopped = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  let room = deferred<void>();
  const fail = (error: unknown): void => {
    failure ??= { error };
    stopped.abort(error);
    room.resolve();
  };
  const onAbort = (): void => fail(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return {
    signal: stopped.signal,
    async acquire() {
      while (failure === undefined && underWay.size >= CHUNKS_PER_BLOB) {
        room = deferred<void>();
        await room.promise;
      }
      if (failure !== undefined) throw failure.error;
      return await sharedChunks.acquire(stopped.signal);
    },
    tryAcquire() {
      return failure === undefined && underWay.size < CHUNKS_PER_BLOB ? sharedChunks.tryAcquire() : undefined;
    },
    hand(chunk, part, position) {
      if (failure !== undefined) {
        sharedChunks.release(chunk);
        return;
      }
      const passing = (async () => await sink(part, position))()
        .catch(fail)
        .finally(() => {
          underWay.delete(passing);
          sharedChunks.release(chunk);
          room.resolve();
        });
      underWay.add(passing);
    },
    fail,
    async settled() {
      try {
        await Promise.all(underWay);
      } finally {
        signal?.removeEventListener("abort", onAbort);
      }
      if (failure !== undefined) throw failure.error;
    },
  };
}
