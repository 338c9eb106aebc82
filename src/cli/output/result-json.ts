import type { JsonResults } from "./json-results.ts";
import { jsonText } from "./json-text.ts";

/** What `--json` prints of a command, in one line. The compiler compares it with what schemas/ are made from. */
export function resultJson<Command extends keyof JsonResults>(_command: Command, result: JsonResults[Command]): string {
  return jsonText(result);
}
