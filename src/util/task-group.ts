import pLimit, { type LimitFunction } from "p-limit";
import { type Deferred, deferred } from "./promises.ts";

/**
 * Runs tasks concurrently, at most `limit` at once, in the order in which they are started. The first failure, or an
 * abort of `signal`, aborts all of them; `ended` throws it when all of them have ended.
 */
export class TaskGroup implements AsyncDisposable {
  readonly #run: LimitFunction;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new Set<AbortController>();
  readonly #onAbort: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onFailure: ((error: unknown) => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** Of the next task; only if somebody waits for it. */
  #nextEnd: Deferred<void> | undefined;

  /** @param onFailure is called with the first failure as soon as it happens. */
  constructor(limit: number, signal: AbortSignal | undefined, onFailure?: (error: unknown) => void) {
    this.#run = pLimit(limit);
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

  /** Waits until the next task would run at once. @throws the first failure. */
  async room(): Promise<void> {
    this.check();
    while (this.#running.size >= this.#run.concurrency) {
      // Promise.race would leave a reaction on a long task for each short one that ends meanwhile.
      this.#nextEnd ??= deferred();
      await this.#nextEnd.promise;
    }
    this.check();
  }

  /** A failure of `task` is thrown by `check`, `room` and `ended`. @returns when it has ended, either way. */
  start(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const running = this.#run(async () => await this.#attempt(task)).finally(() => {
      this.#running.delete(running);
      this.#nextEnd?.resolve();
      this.#nextEnd = undefined;
    });
    this.#running.add(running);
    return running;
  }

  /**
   * Starts `task` for each item, in order. Items that wait for a place take no memory of their own: thousands of tasks
   * that have not begun would. The group is for these items alone.
   *
   * @returns when all that began have ended, either way.
   */
  async startEach<T>(items: Iterable<T>, task: (item: T, signal: AbortSignal) => Promise<void>): Promise<void> {
    const all = [...items];
    const left = all.values();
    const places = Math.min(this.#run.concurrency, all.length);
    const work = async (): Promise<void> => {
      for (const item of left) {
        if (this.#failure !== undefined) return;
        await this.#attempt(async own => await task(item, own));
      }
    };
    await Promise.all(Array.from({ length: places }, async () => await this.start(work)));
  }

  async #attempt(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return;
    // A signal of its own for each task: Node 20 warns of the eleventh listener on one signal.
    const own = new AbortController();
    this.#stop.add(own);
    try {
      await task(own.signal);
    } catch (error) {
      this.fail(error);
    } finally {
      this.#stop.delete(own);
    }
  }

  /** Aborts all tasks with `error`; only the first call counts. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    for (const own of this.#stop) own.abort(error);
    this.#onFailure?.(error);
  }

  /** @throws the first failure, when all tasks have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
    this.check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    await Promise.all(this.#running);
  }
}

/** Runs `task` over `items` in a `TaskGroup`. @throws the first failure, when all tasks have ended. */
export async function runBounded<T>(
  items: Iterable<T>,
  limit: number,
  task: (item: T, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const all = [...items];
  const [only] = all;
  // Thousands of images have one manifest each: a group for it costs more than what it does.
  if (all.length === 1 && signal !== undefined) {
    signal.throwIfAborted();
    await task(only as T, signal);
    signal.throwIfAborted();
    return;
  }
  await using tasks = new TaskGroup(limit, signal);
  await tasks.startEach(all, task);
  tasks.check();
}
