import { EXIT_CODES } from "../errors.ts";

/** A signal stopped the run. */
export class Interrupted extends Error {
  readonly code = "ERR_INTERRUPTED";
  readonly exitCode: number;
  readonly hint = "No incomplete file and no tag was left; run the same command again to resume.";

  constructor(signal: (typeof SIGNALS)[number]) {
    super(`Stopped by ${signal} before the end`);
    this.exitCode = EXIT_CODES[signal];
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Milliseconds that a run gets to keep what is recorded. */
const GRACE_MS = 2000;

/**
 * Runs a task with a signal that the first SIGINT, SIGTERM or SIGHUP aborts. The second one, or 2 s without an end, ends the
 * process at once.
 */
export async function withSignals(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  let overdue: NodeJS.Timeout | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    const known = SIGNALS.find(candidate => candidate === name);
    if (known === undefined) return;
    if (stop.signal.aborted) endBy(known);
    overdue = setTimeout(() => endBy(known), GRACE_MS);
    stop.abort(new Interrupted(known));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    await task(stop.signal);
  } catch (error) {
    // A failure after the signal is a consequence of it.
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    clearTimeout(overdue);
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}

/**
 * Ends the process by the signal itself. `process.exit` waits for threads that the system does not release, such as those
 * that open a file on a server that is gone.
 */
export function endBy(name: (typeof SIGNALS)[number]): void {
  for (const each of SIGNALS) process.removeAllListeners(each);
  process.kill(process.pid, name);
  // The first process of a container ignores a signal that it sends itself.
  process.exit(EXIT_CODES[name]);
}

/** Ends the process if it is still there after an interrupted run: a thread that hangs keeps it alive. */
export function endSoonAfter(exitCode: number): void {
  const name = SIGNALS.find(each => EXIT_CODES[each] === exitCode);
  if (name !== undefined) setTimeout(() => endBy(name), GRACE_MS / 4).unref();
}
