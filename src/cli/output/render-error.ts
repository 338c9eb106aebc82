import { EXIT_CODES, type ImgpackError, PartialError, UsageError } from "../../errors.ts";
import { escapeForeign } from "../../util/format.ts";
import { redact } from "../../util/redact.ts";
import { systemFault } from "../../util/system-fault.ts";
import type { OutputStreams } from "../context.ts";
import { jsonText } from "./json-text.ts";

/** The words after `hub`: each has a help of its own. */
export const HUB_COMMAND_NAMES = ["login", "user", "repo", "images", "token", "auth", "search"] as const;

/** What of an error is printed. */
export interface PrintedError {
  readonly message: string;
  readonly code: string;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly origin: string | undefined;
}

/** An error of a command that has a result all the same: with `--json`, stdout has one object with both. */
export class ReportedError extends Error {
  readonly error: ImgpackError;
  /** What `--json` prints next to the error; undefined if the command has printed everything. */
  readonly result: object | undefined;

  constructor(error: ImgpackError, result?: object) {
    super(error.message);
    this.error = error;
    this.result = result;
  }
}

export interface RenderErrorOptions {
  readonly isJson: boolean;
  /** `--progress json`: stderr has lines of JSON only. */
  readonly isJsonProgress?: boolean | undefined;
  readonly isVerbose: boolean;
  /** The command that failed, if the command line named one. */
  readonly command?: string | undefined;
  /** What the command line probably meant, in place of the error's own hint. */
  readonly advice?: string | undefined;
}

/**
 * Prints the message of an error and its hint on stderr, or a line of JSON with `--progress json`; with `--json` also an object on stdout, which has the result as
 * well if some of several inputs failed; with `--verbose` also the chain of causes.
 *
 * @returns the exit code.
 */
export function renderError(
  thrown: unknown,
  { stdout, stderr }: OutputStreams,
  { isJson, isJsonProgress, isVerbose, command, advice }: RenderErrorOptions,
): number {
  const isReported = thrown instanceof ReportedError && thrown.result === undefined;
  const { error, printed } = describeError(thrown, command, advice);
  if (isJson && !isReported) {
    const { message, code, hint, origin } = printed;
    stdout.write(`${jsonText({ ...resultOf(thrown), error: { code, message, hint, origin } })}\n`);
  }
  const isBug = printed.exitCode === EXIT_CODES.internal;
  const because = isVerbose || isBug ? [...causes(error, isBug)] : [];
  if (isJsonProgress === true) {
    const details = because.length === 0 ? {} : { causes: because.map(line => line.trim()) };
    stderr.write(`${jsonText({ kind: "error", ...printed, ...details })}\n`);
    return printed.exitCode;
  }
  const lines = [printed.message, printed.hint ?? "", ...because];
  for (const line of lines.flatMap(text => text.split("\n"))) {
    // Foreign text in a message must not control the terminal.
    if (line !== "") stderr.write(`${escapeForeign(line, Number.POSITIVE_INFINITY)}\n`);
  }
  return printed.exitCode;
}

/** What is printed of something that was thrown. @param command that failed, if the command line named one. */
export function describeError(
  thrown: unknown,
  command: string | undefined,
  advice?: string | undefined,
): { readonly error: unknown; readonly printed: PrintedError } {
  const error = thrown instanceof ReportedError ? thrown.error : explained(thrown);
  const printed = printedError(error, command);
  return { error, printed: advice === undefined ? printed : { ...printed, hint: redact(advice) } };
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
  return {
    message: `This is a bug in imgpack: ${text(fields.message) ?? String(error)}`,
    code: "ERR_INTERNAL",
    exitCode: EXIT_CODES.internal,
    hint: "Please report it with the lines below and the command that you ran.",
    origin: undefined,
  };
}

/** A call of the system that no message names, as a StorageError: a full disk or a closed file is no bug. */
function explained(thrown: unknown): unknown {
  const error = firstOf(thrown);
  if (!(error instanceof Error) || !("syscall" in error)) return error;
  const path = "path" in error ? String(error.path) : String(error.syscall);
  return systemFault("read", path, error) ?? error;
}

/** Of an error, and of what failed after it, such as closing a file on a dead disk, the first one counts. */
function firstOf(thrown: unknown): unknown {
  return thrown instanceof Error && "suppressed" in thrown ? firstOf(thrown.suppressed) : thrown;
}

/** What was done before the error. */
function resultOf(thrown: unknown): object {
  if (thrown instanceof ReportedError) return thrown.result ?? {};
  if (!(thrown instanceof PartialError)) return {};
  const { result, failed } = thrown;
  return typeof result === "object" && result !== null ? { ...result, failed } : { failed };
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
