import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { described } from "../../util/options/check-options.ts";
import { isTextList } from "../../util/options/option-kinds.ts";

/** The values of an option that may be given several times. */
export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

/**
 * What a call is to work on. A string is a list of characters to JavaScript, so it is refused.
 *
 * @param what the elements in the plural, for the message.
 * @throws UsageError
 */
export function checkList(verb: string, what: string, list: readonly string[]): void {
  if (isTextList(list)) return;
  throw new UsageError(`Cannot ${verb}: found ${described(list)}, expected an array of ${what}`, {
    hint: "Put a single one in brackets.",
  });
}

/**
 * What a call is to work on, where it is one.
 *
 * @param what for the message, for example "the path of an archive".
 * @throws UsageError
 */
export function checkText(verb: string, what: string, text: string): void {
  if (typeof text === "string" && text !== "" && !text.includes("\0")) return;
  throw new UsageError(
    `Cannot ${verb}: found ${typeof text === "string" ? quote(text) : described(text)}, expected ${what}`,
  );
}
