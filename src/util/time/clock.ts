/** Time, for what works at intervals. */
export interface Clock {
  /** Milliseconds; never goes back. */
  now(): number;
  /** Calls `task` every `ms` milliseconds, until the returned function is called. It does not keep the process alive. */
  every(ms: number, task: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  every(ms, task) {
    const timer = setInterval(task, ms).unref();
    return () => clearInterval(timer);
  },
};
