import { TaskGroup } from "../task-group.ts";
import type { Pace } from "./pace.ts";

export interface RunPacedOptions {
  readonly pace: Pace;
  /** Never more of these items at once, whatever the limit of the call is. Default: no other limit. */
  readonly atMost?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `task` over `items` as `runBounded` does, below the limit of the call. They begin in order.
 *
 * @throws the first failure, when all tasks have ended.
 */
export async function runPaced<T>(
  items: Iterable<T>,
  { pace, atMost = Number.POSITIVE_INFINITY, signal }: RunPacedOptions,
  task: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  await using tasks = new TaskGroup(atMost, signal, error => failed.abort(error));
  for (const item of [...items]) {
    await tasks.room();
    const leave = await pace.enter(failed.signal);
    void tasks.start(async own => await task(item, own)).finally(leave);
  }
  await tasks.ended();
}
