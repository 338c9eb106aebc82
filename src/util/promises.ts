export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** `Promise.withResolvers`, which Node 20 lacks. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Settles like `promise`, or rejects with the reason of `signal` as soon as it aborts. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  if (signal.aborted) {
    // The promise is abandoned; a late rejection must not count as unhandled.
    promise.catch(() => undefined);
    throw signal.reason;
  }
  const aborted = deferred<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * `Promise.all`, but throws the first failure only when all have ended: for work on shared memory, which may be reused
 * only after that.
 */
export async function allEnded<T extends readonly unknown[]>(
  work: {
    readonly [Index in keyof T]: T[Index] | Promise<T[Index]>;
  },
): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}

/** Runs work now or later, in the order of the calls. */
export type Limited = <T>(work: () => Promise<T>) => Promise<T>;

/** At most `limit` at once. */
export function limited(limit: number): Limited {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async work => {
    if (running < limit) running += 1;
    else {
      const turn = deferred<void>();
      waiting.push(turn.resolve);
      await turn.promise;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
