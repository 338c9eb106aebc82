import type { OutputStreams } from "../context.ts";
import type { OutputFlags } from "../flags/output-flags.ts";

/** Lines that are drawn again on a terminal, a line every few seconds, or nothing. */
export type ProgressStyle = "block" | "lines" | "none";

export function progressStyle({ stderr }: OutputStreams, { progress = "auto", quiet }: OutputFlags): ProgressStyle {
  // JSON lines are events, not drawings.
  if (quiet === true || progress === "none" || progress === "json") return "none";
  const isTerminal = "isTTY" in stderr && stderr.isTTY === true && process.env["TERM"] !== "dumb";
  return progress === "auto" && isTerminal && process.env["CI"] === undefined ? "block" : "lines";
}
