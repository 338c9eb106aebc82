import { ImgpackError } from "../../errors.ts";
import type { PushRun } from "./push-to-repository.ts";

/** Files that cannot be pushed. */
export interface Failed {
  readonly paths: readonly string[];
  readonly error: ImgpackError;
}

/** @returns an error of one of several archives: the others are pushed nevertheless. */
export async function failing<T>(
  paths: readonly string[],
  { options: { signal } }: PushRun,
  count: number,
  task: () => Promise<T>,
): Promise<T | Failed> {
  try {
    return await task();
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ImgpackError && count > 1) return { paths, error };
    throw error;
  }
}

/** What another archive lacks may be in a file that cannot be read: its error is noted before that of the task. */
export async function namingFailed(
  archives: readonly (object | Failed)[],
  { options: { onProgress } }: PushRun,
  task: () => Promise<void>,
): Promise<void> {
  try {
    await task();
  } catch (error) {
    for (const one of archives) if ("error" in one) onProgress({ kind: "note", message: one.error.message });
    throw error;
  }
}
