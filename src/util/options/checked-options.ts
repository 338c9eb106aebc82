import { UsageError } from "../../errors.ts";
import { quote } from "../format.ts";
import { nearestWords } from "../nearest/nearest-words.ts";

/** What values an option takes. */
export interface Kind<T> {
  /** @returns the value, copied where its owner could change it later. @throws UsageError that names the option. */
  readonly checked: (value: unknown, option: string) => T;
  readonly isRequired?: true;
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
 * @returns a copy to use in place of `options`, so that what was checked is what is used. Each field is read once, and
 * each option is a field of its own, undefined if absent: a changed `Object.prototype` adds none.
 * @throws UsageError for an option that does not exist, is missing, or has a value that it does not take.
 */
export function checkedOptions<T>(options: T, shape: OptionsShape<T>): T {
  return checkedFields(options, shape, "");
}

/** @param prefix of the names in messages. */
export function checkedFields<T>(value: unknown, shape: OptionsShape<T>, prefix: string): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const what = prefix === "" ? "read the options" : `use option ${prefix.slice(0, -1)}`;
    throw new UsageError(`Cannot ${what}: found ${described(value)}, expected an object`);
  }
  const kinds = Object.entries<Kind<unknown>>(shape);
  const names = kinds.map(([name]) => name);
  const given = new Map<string, unknown>(Object.entries(value).filter(([, field]) => field !== undefined));
  for (const name of given.keys()) if (!names.includes(name)) throw noSuchOption(prefix, name, names);
  const fields = kinds.map(([name, kind]) => {
    const isAbsent = !given.has(name) && kind.isRequired !== true;
    return [name, isAbsent ? undefined : kind.checked(given.get(name), `${prefix}${name}`)] as const;
  });
  // The shape gives each field the kind of its type.
  return Object.fromEntries(fields) as T;
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
    return textList(value) === undefined ? "an array with other things than strings" : "an array";
  }
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" || typeof value === "symbol" ? `a ${typeof value}` : String(value);
}

/** A copy of an array of nothing but strings; undefined for anything else, such as an array with holes. */
export function textList(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts: string[] = [];
  for (let index = 0; index < value.length; index += 1) {
    const text: unknown = value[index];
    if (typeof text !== "string") return undefined;
    texts.push(text);
  }
  return texts;
}

function noSuchOption(prefix: string, name: string, names: readonly string[]): UsageError {
  const [nearest] = nearestWords(name, names);
  const known = names.map(other => `${prefix}${other}`).join(", ");
  return new UsageError(`Cannot use option ${quote(`${prefix}${name}`)}: no such option, expected one of ${known}`, {
    hint: nearest === undefined ? undefined : `Did you mean ${prefix}${nearest}?`,
  });
}
