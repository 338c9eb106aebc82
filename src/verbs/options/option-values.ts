import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { described, textList } from "../../util/options/checked-options.ts";

/** The values of an option that may be given several times. */
export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

/**
 * What a call is to work on. A string is a list of characters to JavaScript, so it is refused.
 *
 * @param what the elements in the plural, for the message.
 * @returns a copy.
 * @throws UsageError
 */
export function checkedList(verb: string, what: string, list: readonly string[]): readonly string[] {
  const texts = textList(list);
  if (texts !== undefined) return texts;
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
