import { UsageError } from "../../errors.ts";
import { escapeForeign } from "../../util/format.ts";
import type { OutputStreams } from "../context.ts";

/**
 * Writes a foreign document byte for byte, except for one that would control the terminal it goes to.
 *
 * @param what for the message, for example "config".
 * @throws UsageError
 */
export function writeDocument({ stdout }: OutputStreams, bytes: Uint8Array, what: string): void {
  const isTerminal = "isTTY" in stdout && stdout.isTTY === true;
  if (isTerminal && hasControls(bytes)) {
    throw new UsageError(
      `Cannot write ${what} to stdout: found control characters, expected plain text for a terminal`,
      { hint: "Redirect it to a file, or use --json, which escapes them." },
    );
  }
  stdout.write(bytes);
}

function hasControls(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("utf8")
    .replace(/\r?\n|\t/g, " ");
  return text.includes("\ufffd") || escapeForeign(text, Number.POSITIVE_INFINITY) !== text;
}
