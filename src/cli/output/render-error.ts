import { EXIT_CODES, type ImgpackError, PartialError, UsageError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { escapeForeign, quote } from "../../util/format.ts";
import { isSystemFault, systemFault } from "../../util/system-fault.ts";
import type { OutputStreams } from "../context.ts";
import { jsonText } from "./json-text.ts";

/** What of an error is printed. */
interface PrintedError {
  readonly message: string;
  readonly code: string;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly origin: string | undefined;
}

/** An error that the command has reported on stdout already: with `--json`, stdout has one object only. */
export class ReportedError extends Error {
  readonly error: ImgpackError;

  constructor(error: ImgpackError) {
    super(error.message);
    this.error = error;
  }
}

export interface RenderErrorOptions {
  readonly isJson: boolean;
  readonly isVerbose: boolean;
  /** The command that failed, if the command line named one. */
  readonly command?: string | undefined;
}

/**
 * Prints the message of an error and its hint on stderr; with `--json` also an object on stdout, which has the result as
 * well if some of several inputs failed; with `--verbose` also the chain of causes.
 *
 * @returns the exit code.
 */
export function renderError(
  thrown: unknown,
  { stdout, stderr }: OutputStreams,
  { isJson, isVerbose, command }: RenderErrorOptions,
): number {
  const isReported = thrown instanceof ReportedError;
  const error = isReported ? thrown.error : thrown;
  const printed = printedError(error, command);
  if (isJson && !isReported) {
    const { message, code, hint, origin } = printed;
    const done = error instanceof PartialError ? { ...resultOf(error), failed: error.failed } : {};
    stdout.write(`${jsonText({ ...done, error: { code, message, hint, origin } })}\n`);
  }
  const isBug = printed.exitCode === EXIT_CODES.internal;
  const lines = [printed.message, printed.hint ?? "", ...(isVerbose || isBug ? causes(error, isBug) : [])];
  for (const line of lines.flatMap(text => text.split("\n"))) {
    // Foreign text in a message must not control the terminal.
    if (line !== "") stderr.write(`${escapeForeign(line, Number.POSITIVE_INFINITY)}\n`);
  }
  return printed.exitCode;
}

function printedError(error: unknown, command: string | undefined): PrintedError {
  const fields: Partial<Record<keyof PrintedError, unknown>> = typeof error === "object" && error !== null ? error : {};
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  if (typeof fields.exitCode === "number") {
    return {
      message: text(fields.message) ?? "unknown error",
      code: text(fields.code) ?? "ERR_INTERNAL",
      exitCode: fields.exitCode,
      hint: text(fields.hint) ?? (error instanceof UsageError ? helpHint(command) : undefined),
      origin: text(fields.origin),
    };
  }
  if (isSystemFault(error)) {
    const { path, syscall = "use a file" } = error;
    const what = path === undefined ? "a file" : quote(path);
    return {
      message: `Cannot use ${what}: ${systemFault(error)} (${syscall}), expected a file or folder that can be used`,
      code: "ERR_STORAGE",
      exitCode: EXIT_CODES.storage,
      hint: errorCode(error) === "EMFILE" ? "Allow more open files, as with ulimit -n 1024." : undefined,
      origin: undefined,
    };
  }
  return {
    message: `This is a bug in imgpack: ${text(fields.message) ?? String(error)}`,
    code: "ERR_INTERNAL",
    exitCode: EXIT_CODES.internal,
    hint: "Please report it with the lines below and the command that you ran.",
    origin: undefined,
  };
}

function resultOf({ result }: PartialError): object {
  return typeof result === "object" && result !== null ? result : {};
}

function helpHint(command: string | undefined): string {
  return `See "imgpack ${command === undefined ? "" : `${command} `}--help".`;
}

function* causes(error: unknown, isBug: boolean): Generator<string> {
  if (isBug && error instanceof Error) yield error.stack ?? "";
  for (let cause = error instanceof Error ? error.cause : undefined; cause !== undefined; ) {
    yield `  because: ${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)}`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
}
