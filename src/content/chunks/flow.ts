import { deferred } from "../../util/promises.ts";
import type { ByteSink } from "../contracts.ts";
import { CHUNKS_PER_BLOB, sharedChunks } from "./chunks.ts";

/** Moves the chunks of one blob from the pool through a sink and back, a bounded number at once. */
export interface Flow {
  /** Aborts when either side fails or the caller's signal aborts, to stop reads. */
  readonly signal: AbortSignal;
  /** A pool chunk for the next bytes. Rejects when the sink fails or the signal aborts. */
  acquire(): Promise<Uint8Array>;
  /** The same without waiting; undefined if `acquire` would wait or fail. */
  tryAcquire(): Uint8Array | undefined;
  /** Sends `part` of `chunk` to the sink; the chunk returns to the pool after that, or at once after a failure. */
  hand(chunk: Uint8Array, part: Uint8Array, position: number): void;
  fail(error: unknown): void;
  /** Settles after every chunk has returned. @throws the first failure of either side. */
  settled(): Promise<void>;
}

export function createFlow(sink: ByteSink, signal?: AbortSignal): Flow {
  const sending = new Set<Promise<void>>();
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
      while (failure === undefined && sending.size >= CHUNKS_PER_BLOB) {
        room = deferred<void>();
        await room.promise;
      }
      if (failure !== undefined) throw failure.error;
      return await sharedChunks.acquire(stopped.signal);
    },
    tryAcquire() {
      return failure === undefined && sending.size < CHUNKS_PER_BLOB ? sharedChunks.tryAcquire() : undefined;
    },
    hand(chunk, part, position) {
      if (failure !== undefined) {
        sharedChunks.release(chunk);
        return;
      }
      const sent = (async () => await sink(part, position))()
        .catch(fail)
        .finally(() => {
          sending.delete(sent);
          sharedChunks.release(chunk);
          room.resolve();
        });
      sending.add(sent);
    },
    fail,
    async settled() {
      try {
        await Promise.all(sending);
      } finally {
        signal?.removeEventListener("abort", onAbort);
      }
      if (failure !== undefined) throw failure.error;
    },
  };
}
