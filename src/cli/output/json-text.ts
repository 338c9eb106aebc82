import { escapeJson } from "../../util/format.ts";

/** JSON for a pipe or a terminal, in one line. */
export function jsonText(value: unknown): string {
  return escapeJson(JSON.stringify(value));
}
