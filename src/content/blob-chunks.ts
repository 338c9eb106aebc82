import { type Deferred, deferred } from "../util/promises.ts";
import type { BlobSource } from "./contracts.ts";
import { pumpBlob } from "./pump.ts";

interface Waiting {
  readonly mapped: Promise<Uint8Array>;
  readonly taken: Deferred<void>;
}

/** A blob as chunks to pull. The memory of a chunk is reused when the next one is requested. */
export function blobChunks(source: BlobSource, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
  return mapChunks(source, async chunk => chunk, signal);
}

/**
 * Pulls the results of `map` for a blob's chunks, in order. Several are mapped at once; `map` is called in order too.
 * A chunk belongs to `map` until its result was taken and the next one requested.
 */
export async function* mapChunks(
  source: BlobSource,
  map: (chunk: Uint8Array, position: number) => Promise<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const queue: Waiting[] = [];
  let wake = deferred<void>();
  let ended: { readonly error?: unknown } | undefined;
  const end = (how: { readonly error?: unknown }): void => {
    ended = how;
    wake.resolve();
  };
  const sink = async (chunk: Uint8Array, position: number): Promise<void> => {
    // It would never be taken.
    if (stop.signal.aborted) return;
    const waiting = { mapped: map(chunk, position), taken: deferred<void>() };
    queue.push(waiting);
    wake.resolve();
    await waiting.mapped;
    await waiting.taken.promise;
  };
  const pumping = pumpBlob(source, sink, either).then(
    () => end({}),
    error => end({ error }),
  );
  try {
    for (;;) {
      const next = queue.shift();
      if (next !== undefined) {
        try {
          yield await next.mapped;
        } finally {
          next.taken.resolve();
        }
      } else if (ended === undefined) {
        wake = deferred<void>();
        await wake.promise;
      } else {
        break;
      }
    }
    if ("error" in ended) throw ended.error;
  } finally {
    stop.abort();
    for (const { taken } of queue) taken.resolve();
    await pumping;
  }
}
