/** The person, or a supervisor, stopped the run. */
export class Interrupted extends Error {
  readonly code = "ERR_INTERRUPTED";
  readonly exitCode: number;
  readonly hint = "No half-written file and no tag was left behind; run the same command again to go on.";

  constructor(signal: "SIGINT" | "SIGTERM" | "SIGHUP", exitCode: number) {
    super(`Stopped by ${signal} before the end`);
    this.exitCode = exitCode;
  }
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Runs a task with a signal that the first SIGINT, SIGTERM or SIGHUP aborts; the second one ends the process at once. */
export async function withSignals(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const names = Object.keys(EXIT_CODES) as (keyof typeof EXIT_CODES)[];
  const onSignal = (name: NodeJS.Signals): void => {
    const known = names.find(candidate => candidate === name);
    if (known === undefined) return;
    if (stop.signal.aborted) process.exit(EXIT_CODES[known]);
    stop.abort(new Interrupted(known, EXIT_CODES[known]));
  };
  for (const name of names) process.on(name, onSignal);
  try {
    await task(stop.signal);
  } catch (error) {
    // Whatever broke after the signal broke because of it.
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    for (const name of names) process.off(name, onSignal);
  }
}
