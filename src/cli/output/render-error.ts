import { escapeForeign } from "../../util/format.ts";
import type { Session } from "../context.ts";

interface Shape {
  readonly message: string;
  readonly code: string;
  readonly exitCode: number;
  readonly hint: string | undefined;
  readonly origin: string | undefined;
  /** stdout has the whole story already: one command, one JSON object. */
  readonly isReported: boolean;
}

/**
 * Prints an error by its shape, so that printing one loads nothing: message, then a hint; with --json an object on
 * stdout; with --verbose the chain of causes.
 *
 * @returns the exit code.
 */
export function renderError(
  error: unknown,
  { stdout, stderr }: Session,
  { isJson, isVerbose }: { readonly isJson: boolean; readonly isVerbose: boolean },
): number {
  const shape = shapeOf(error);
  if (isJson && !shape.isReported) {
    const { message, code, hint, origin } = shape;
    stdout.write(`${JSON.stringify({ error: { code, message, hint, origin } })}\n`);
  }
  const isBug = shape.exitCode === 1;
  const lines = [shape.message, shape.hint ?? "", ...(isVerbose || isBug ? causes(error, isBug) : [])];
  for (const line of lines.flatMap(text => text.split("\n"))) {
    // Whatever a message was made of, it does not steer the terminal.
    if (line !== "") stderr.write(`${escapeForeign(line, Number.POSITIVE_INFINITY)}\n`);
  }
  return shape.exitCode;
}

function shapeOf(error: unknown): Shape {
  const fields: Partial<Record<keyof Shape, unknown>> = typeof error === "object" && error !== null ? error : {};
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  if (typeof fields.exitCode === "number") {
    return {
      message: text(fields.message) ?? "unknown fault",
      code: text(fields.code) ?? "ERR_INTERNAL",
      exitCode: fields.exitCode,
      hint: text(fields.hint),
      origin: text(fields.origin),
      isReported: fields.isReported === true,
    };
  }
  return {
    message: `This is a bug in imgpack: ${text(fields.message) ?? String(error)}`,
    code: "ERR_INTERNAL",
    exitCode: 1,
    hint: "Please report it with the lines below and the command that you ran.",
    origin: undefined,
    isReported: false,
  };
}

function* causes(error: unknown, isBug: boolean): Generator<string> {
  if (isBug && error instanceof Error) yield error.stack ?? "";
  for (let cause = error instanceof Error ? error.cause : undefined; cause !== undefined; ) {
    yield `  because: ${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)}`;
    cause = cause instanceof Error ? cause.cause : undefined;
  }
}
