/** Time for progress. */
export interface ProgressClock {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls `task` every `ms` milliseconds, without keeping the process alive. @returns what stops that. */
  every(ms: number, task: () => void): () => void;
}

export const SYSTEM_CLOCK: ProgressClock = {
  now: () => performance.now(),
  every(ms, task) {
    const timer = setInterval(task, ms).unref();
    return () => clearInterval(timer);
  },
};
