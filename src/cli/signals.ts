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

/** Runs a task with a signal that the first SIGINT, SIGTERM or SIGHUP aborts. The second one ends the process at once. */
export async function withSignals(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    const known = SIGNALS.find(candidate => candidate === name);
    if (known === undefined) return;
    if (stop.signal.aborted) process.exit(EXIT_CODES[known]);
    stop.abort(new Interrupted(known));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    await task(stop.signal);
  } catch (error) {
    // A failure after the signal is a consequence of it.
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    for (const name of SIGNALS) process.off(name, onSignal);
  }
}
