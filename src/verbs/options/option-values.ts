import { UsageError } from "../../errors.ts";
import { alternatives, quote } from "../../util/format.ts";

/** Checks for callers whose compiler did not: JavaScript, and words of the command line. */
export function badOption(option: string, found: unknown, expected: string): UsageError {
  return new UsageError(`Cannot use option ${option}: found ${described(found)}, expected ${expected}`);
}

/** @throws UsageError for a value that is none of `values`. */
export function oneOf<T extends string>(
  option: string,
  value: T | undefined,
  values: readonly T[],
  expected: string = alternatives(values),
): T | undefined {
  if (value === undefined || values.includes(value)) return value;
  throw badOption(option, value, expected);
}

/** The values of an option that may be given several times. @throws UsageError for anything but text, or a list of it. */
export function listOf(option: string, value: string | readonly string[] | undefined): readonly string[] {
  const texts = value === undefined ? [] : typeof value === "string" ? [value] : value;
  if (isTextList(texts)) return texts;
  throw badOption(option, value, "a string or an array of strings");
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

/** @throws UsageError for anything but a whole number of at least `least`. */
export function wholeNumber(option: string, value: number | undefined, least: number): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return value;
  throw badOption(option, value, `a whole number of at least ${least}`);
}

function isTextList(list: unknown): list is readonly string[] {
  return Array.isArray(list) && list.every(text => typeof text === "string");
}

function described(value: unknown): string {
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return isTextList(value) ? "an array" : "an array with other things than strings";
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" || typeof value === "symbol" ? `a ${typeof value}` : String(value);
}
