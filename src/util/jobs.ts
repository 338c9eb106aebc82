/** Work that runs beside its starter, a bounded number at once; the first failure stops all of it. */
export class Jobs implements AsyncDisposable {
  readonly #limit: number;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new Set<AbortController>();
  readonly #onAbort: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onFailure: ((error: unknown) => void) | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** @param onFailure hears the first failure as soon as it happens. */
  constructor(limit: number, signal: AbortSignal | undefined, onFailure?: (error: unknown) => void) {
    this.#limit = limit;
    this.#onFailure = onFailure;
    this.#signal = signal;
    this.#onAbort = () => this.fail(signal?.reason);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  /** @throws the first failure so far. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits until another job may start. @throws the first failure. */
  async room(): Promise<void> {
    this.check();
    while (this.#running.size >= this.#limit) await Promise.race(this.#running);
    this.check();
  }

  /** A failure of `task` is thrown by `check`, `room` and `ended`. @returns when it has ended, either way. */
  start(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    // A signal of its own for each: Node 20 warns of the eleventh listener on one signal.
    const own = new AbortController();
    this.#stop.add(own);
    const run = async (): Promise<void> => {
      try {
        this.check();
        await task(own.signal);
      } catch (error) {
        this.fail(error);
      } finally {
        this.#stop.delete(own);
      }
    };
    const running = run().finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    for (const own of this.#stop) own.abort(error);
    this.#onFailure?.(error);
  }

  /** @throws the first failure, when all have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
    this.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    await Promise.all(this.#running);
  }
}
