/** Where a command speaks: data to stdout, talk to stderr. */
export interface Session {
  readonly stdout: NodeJS.WriteStream | NodeJS.WritableStream;
  readonly stderr: NodeJS.WriteStream | NodeJS.WritableStream;
}

export interface Context extends Session {
  readonly signal: AbortSignal;
}

/** Writes a line of data. */
export function printLine({ stdout }: Session, line: string): void {
  stdout.write(`${line}\n`);
}
