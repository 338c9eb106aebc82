import { TaskGroup } from "../../../util/task-group.ts";

/** Runs tasks of many callers, at most `limit` at once, in the order in which they come. One that fails stops no other. */
export class Limiter implements AsyncDisposable {
  readonly #group: TaskGroup;

  /** @param signal aborts all of them. */
  constructor(limit: number, signal: AbortSignal | undefined) {
    this.#group = new TaskGroup(limit, signal);
  }

  /** @throws what `task` throws, or the reason of the abort. */
  async run<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    let outcome: PromiseSettledResult<T> | undefined;
    await this.#group.start(async own => {
      [outcome] = await Promise.allSettled([task(own)]);
    });
    if (outcome?.status === "fulfilled") return outcome.value;
    this.#group.check();
    throw outcome?.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#group[Symbol.asyncDispose]();
  }
}
