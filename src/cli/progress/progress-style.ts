import type { OutputStreams } from "../context.ts";
import type { OutputFlags } from "../flags/output-flags.ts";
import { canRedraw } from "../screen/terminal.ts";

/** Lines that are drawn again on a terminal, a line every few seconds, or nothing. */
export type ProgressStyle = "block" | "lines" | "none";

export function progressStyle({ stderr }: OutputStreams, { progress = "auto", quiet }: OutputFlags): ProgressStyle {
  // JSON lines are events, not drawings.
  if (quiet === true || progress === "none" || progress === "json") return "none";
  return progress === "auto" && canRedraw(stderr) && process.env["CI"] === undefined ? "block" : "lines";
}
