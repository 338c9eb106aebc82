import { EXIT_CODES } from "../errors.ts";
import { COMPLETE } from "./completion/scripts/complete-word.ts";
import { SERVE_DRAIN_MS } from "./context.ts";

/** A signal stopped the run. */
export class Interrupted extends Error {
  readonly code = "ERR_INTERRUPTED";
  readonly exitCode: number;
  readonly hint: string;

  constructor(signal: (typeof SIGNALS)[number], command: string | undefined) {
    super(`Stopped by ${signal} before the end`);
    this.exitCode = EXIT_CODES[signal];
    this.hint = HINTS.get(command) ?? "Run the same command again.";
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Milliseconds that a run gets to keep what is recorded. */
const GRACE_MS = 2000;

const RESUMES =
  "The output is not complete: the next run resumes with what could be kept; what went to stdout starts over.";
const TAGS_LAST = "Tags come last, so none names an incomplete image; run the same command again to send the rest.";
const CHANGES_NOTHING = "Nothing was changed.";

/** What is true after each command, whenever the signal comes. */
const HINTS: ReadonlyMap<string | undefined, string> = new Map([
  ["pull", RESUMES],
  ["push", TAGS_LAST],
  ["copy", TAGS_LAST],
  ["tag", TAGS_LAST],
  ...[
    "inspect",
    "verify",
    "tags",
    "latest",
    "catalog",
    "exists",
    "digest",
    "manifest",
    "config",
    "ping",
    "referrers",
  ].map(command => [command, CHANGES_NOTHING] as const),
]);

/**
 * Runs a task with a signal that the first SIGINT, SIGTERM or SIGHUP aborts. The second one, or 2 s without an end (10 s for a
 * server), ends the process at once.
 *
 * @param onOverdue is called before that, with the exit code.
 */
export async function withSignals(
  command: string | undefined,
  task: (signal: AbortSignal) => Promise<void>,
  onOverdue: (exitCode: number) => void = () => undefined,
): Promise<void> {
  const stop = new AbortController();
  let overdue: NodeJS.Timeout | undefined;
  const onSignal = (name: NodeJS.Signals): void => {
    const known = SIGNALS.find(candidate => candidate === name);
    if (known === undefined) return;
    const end = (): void => {
      onOverdue(EXIT_CODES[known]);
      endBy(known);
    };
    if (stop.signal.aborted) end();
    overdue = setTimeout(end, command === "serve" ? SERVE_DRAIN_MS + GRACE_MS : GRACE_MS);
    stop.abort(new Interrupted(known, command));
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

/**
 * Ends the process if it is still there after an interrupted run, or after an answer to a shell: a thread that hangs, such
 * as one that looks up a name, keeps it alive.
 */
export function endSoonAfter(exitCode: number, command?: string): void {
  const name = SIGNALS.find(each => EXIT_CODES[each] === exitCode);
  const end = command === COMPLETE ? endQuietly : name && ((): void => endBy(name));
  if (end !== undefined) setTimeout(end, GRACE_MS / 4).unref();
}

/** Ends the process by a signal of which no shell prints anything: what it printed would stand in the line that is typed. */
function endQuietly(): void {
  // Windows has no such signal, and prints nothing.
  if (process.platform === "win32") process.kill(process.pid, "SIGKILL");
  // Node ignores it until the first listener is removed.
  process.once("SIGPIPE", () => undefined).removeAllListeners("SIGPIPE");
  process.kill(process.pid, "SIGPIPE");
  process.exit(0);
}
