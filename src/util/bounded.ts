import pLimit from "p-limit";

/**
 * Runs `task` over `items`, at most `limit` at once, in the given order. The first failure aborts the siblings' signal;
 * all of them have ended before it is thrown, so nothing works on after a failure.
 */
export async function runBounded<T>(
  items: Iterable<T>,
  limit: number,
  task: (item: T, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  // A signal of its own for each task: Node 20 warns of the eleventh listener on one signal.
  const running = new Set<AbortController>();
  let stopped: { readonly reason: unknown } | undefined;
  const stop = (reason: unknown): void => {
    stopped ??= { reason };
    for (const task of running) task.abort(stopped.reason);
  };
  const onAbort = (): void => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  let failure: { readonly error: unknown } | undefined;
  const run = pLimit(limit);
  try {
    await Promise.all(
      Array.from(items, item =>
        run(async () => {
          if (stopped !== undefined) return;
          const own = new AbortController();
          running.add(own);
          try {
            await task(item, own.signal);
          } catch (error) {
            failure ??= { error };
            stop(error);
          } finally {
            running.delete(own);
          }
        }),
      ),
    );
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  signal?.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}
