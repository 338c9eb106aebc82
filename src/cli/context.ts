import type { ProgressEvent } from "../index.ts";

/** The streams of one run: data goes to stdout, notes, progress and errors go to stderr. */
export interface OutputStreams {
  readonly stdout: NodeJS.WriteStream | NodeJS.WritableStream;
  readonly stderr: NodeJS.WriteStream | NodeJS.WritableStream;
}

/** Keeps what a run reports, for `--log`. */
export interface EventLog {
  event(event: ProgressEvent): void;
  /** What the run did. */
  result(result: unknown): void;
  /** For what draws on stderr: `show` prints a warning of the log as a line of its own. */
  warnBy(show: (text: string) => void): void;
}

/** What every command gets in addition to its flags. */
export interface Context extends OutputStreams {
  readonly log?: EventLog | undefined;
  /** Aborts on SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
}

/** Milliseconds that a stopped server gives to running requests: with 2 s to end, as long as docker gives a container. */
export const SERVE_DRAIN_MS = 8000;

/** Writes one line of data. */
export function printLine({ stdout }: OutputStreams, line: string): void {
  stdout.write(`${line}\n`);
}
