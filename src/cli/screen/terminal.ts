import type { OutputStreams } from "../context.ts";

type Stream = OutputStreams["stdout"];

export function isTerminal(stream: Stream): stream is NodeJS.WriteStream {
  return "isTTY" in stream && stream.isTTY === true;
}

/** Whether what is drawn on a stream can be drawn again in the same rows. */
export function canRedraw(stream: Stream): stream is NodeJS.WriteStream {
  return isTerminal(stream) && process.env["TERM"] !== "dumb";
}

/** Whether text on a stream may have colours; `NO_COLOR` with any value forbids them (no-color.org). */
export function hasColours(stream: Stream): boolean {
  return canRedraw(stream) && (process.env["NO_COLOR"] ?? "") === "";
}
