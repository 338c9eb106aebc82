import { UsageError } from "../../errors.ts";
import { quote } from "../format.ts";

/** What values an option takes. `T` ties it to the type of the option. */
export interface Kind<T> {
  /** @throws UsageError that names the option. */
  readonly check: (value: unknown, option: string) => void;
  readonly isRequired?: true;
  /** Never set. */
  readonly type?: T;
}

/** The kind of each option of an interface; the compiler refuses one that is missing, too many, or of another type. */
export type OptionsShape<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K>
    ? Kind<Exclude<T[K], undefined>>
    : Kind<T[K]> & { readonly isRequired: true };
};

/**
 * Checks the options of a call before it does anything: callers of JavaScript have no compiler.
 *
 * @throws UsageError for an option that does not exist, is missing, or has a value that it does not take.
 */
export function checkOptions<T>(options: T, shape: OptionsShape<T>): void {
  checkFields(options, new Map(Object.entries<Kind<unknown>>(shape)), "");
}

/** @param prefix of the names in messages. */
export function checkFields(value: unknown, kinds: ReadonlyMap<string, Kind<unknown>>, prefix: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const what = prefix === "" ? "read the options" : `use option ${prefix.slice(0, -1)}`;
    throw new UsageError(`Cannot ${what}: found ${described(value)}, expected an object`);
  }
  const given = new Map<string, unknown>(Object.entries(value).filter(([, field]) => field !== undefined));
  for (const name of given.keys()) if (!kinds.has(name)) throw noSuchOption(prefix, name, [...kinds.keys()]);
  for (const [name, kind] of kinds) {
    if (given.has(name)) kind.check(given.get(name), `${prefix}${name}`);
    else if (kind.isRequired) kind.check(undefined, `${prefix}${name}`);
  }
}

export function badOption(option: string, found: unknown, expected: string, hint?: string): UsageError {
  return new UsageError(`Cannot use option ${option}: found ${described(found)}, expected ${expected}`, { hint });
}

/** A value in a message. */
export function described(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return "an empty array";
    return value.every(text => typeof text === "string") ? "an array" : "an array with other things than strings";
  }
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" || typeof value === "symbol" ? `a ${typeof value}` : String(value);
}

function noSuchOption(prefix: string, name: string, names: readonly string[]): UsageError {
  const nearest = names.find(other => isNear(name.toLowerCase(), other.toLowerCase()));
  const known = names.map(other => `${prefix}${other}`).join(", ");
  return new UsageError(`Cannot use option ${quote(`${prefix}${name}`)}: no such option, expected one of ${known}`, {
    hint: nearest === undefined ? undefined : `Did you mean ${prefix}${nearest}?`,
  });
}

/** Whether two names differ in their ending, or in one letter: missing, added, changed or swapped with the next one. */
function isNear(name: string, other: string): boolean {
  if (name.startsWith(other) || other.startsWith(name)) return true;
  let start = 0;
  while (start < name.length && name[start] === other[start]) start += 1;
  const [left, right] = [name.slice(start), other.slice(start)];
  const isSwapped = left[0] === right[1] && left[1] === right[0] && left.slice(2) === right.slice(2);
  return left.slice(1) === right.slice(1) || left.slice(1) === right || left === right.slice(1) || isSwapped;
}
