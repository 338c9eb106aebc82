/** The streams of one run: data goes to stdout, notes, progress and errors go to stderr. */
export interface OutputStreams {
  readonly stdout: NodeJS.WriteStream | NodeJS.WritableStream;
  readonly stderr: NodeJS.WriteStream | NodeJS.WritableStream;
}

/** What every command gets in addition to its flags. */
export interface Context extends OutputStreams {
  /** Aborts on SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
}

/** Writes one line of data. */
export function printLine({ stdout }: OutputStreams, line: string): void {
  stdout.write(`${line}\n`);
}
