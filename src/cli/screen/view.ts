import type { OutputStreams } from "../context.ts";
import { relativeDate } from "./relative-date.ts";
import { isTerminal } from "./terminal.ts";
import { textWidth } from "./text-width.ts";

/** Where the terminal does not say how wide it is. */
const DEFAULT_COLUMNS = 80;
/** 12 of the digits of a digest, or of an ID of the v1 protocol. */
const DIGEST = /\b((?:sha(?:256|512):)?[0-9a-f]{12})[0-9a-f]{52,116}\b/g;

/** How values are shown: whole for scripts, short on a terminal. */
export interface View {
  /** Infinity off a terminal. */
  readonly columns: number;
  /** `sha256:0123456789ab` on a terminal, else all digits. */
  readonly digest: (digest: string) => string;
  /** `3 weeks ago` on a terminal, else the date as it is. */
  readonly date: (date: string) => string;
}

/** Everything whole. */
export const WHOLE: View = { columns: Number.POSITIVE_INFINITY, digest: text => text, date: text => text };

export function viewOf(stream: OutputStreams["stdout"], nowMs: number = Date.now()): View {
  if (!isTerminal(stream)) return WHOLE;
  return {
    columns: stream.columns || DEFAULT_COLUMNS,
    digest: text => text.replace(DIGEST, "$1"),
    date: text => relativeDate(text, nowMs),
  };
}

/** Lines that are too long continue below their value, after `indent` spaces; a word is never cut. */
export function* wrappedLines(lines: Iterable<string>, { columns }: View, indent = 11): Generator<string> {
  for (const line of lines) {
    if (textWidth(line) <= columns) yield line;
    else yield* wrapped(line, columns, indent);
  }
}

function* wrapped(line: string, columns: number, indent: number): Generator<string> {
  let row = "";
  // Spaces before a word belong to it.
  for (const word of line.match(/ *[^ ]+/g) ?? []) {
    if (textWidth(row) < indent || textWidth(row) + textWidth(word) <= columns) row += word;
    else {
      yield row;
      row = `${" ".repeat(indent)}${word.trimStart()}`;
    }
  }
  yield row;
}
