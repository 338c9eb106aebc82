import type { Readable, Writable } from "node:stream";
import { alternatives } from "../format.ts";
import { badOption, checkFields, type Kind, type OptionsShape } from "./check-options.ts";
import { MAX_CONCURRENCY } from "./option-limits.ts";

/** @param expected completes "expected …". */
export function kindOf<T>(expected: string, accepts: (value: unknown) => boolean, hint?: string): Kind<T> {
  return {
    check: (value, option) => {
      if (!accepts(value)) throw badOption(option, value, expected, hint);
    },
  };
}

export function required<T>(kind: Kind<T>): Kind<T> & { readonly isRequired: true } {
  return { ...kind, isRequired: true };
}

/** An object whose fields have these kinds. */
export function group<T>(shape: OptionsShape<T>): Kind<T> {
  const kinds = new Map(Object.entries<Kind<unknown>>(shape));
  return { check: (value, option) => checkFields(value, kinds, `${option}.`) };
}

export function choice<T extends string>(values: readonly T[]): Kind<T> {
  return kindOf(alternatives(values), value => values.some(known => known === value));
}

export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  const expected = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return kindOf(
    `a whole number ${expected}`,
    value => typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most,
  );
}

export const TEXT: Kind<string> = kindOf("a string", value => typeof value === "string");
export const FLAG: Kind<boolean> = kindOf("true or false", value => typeof value === "boolean");
export const CONCURRENCY_KIND: Kind<number> = whole(1, MAX_CONCURRENCY);
/** An empty array says neither "all" nor "none". */
export const TEXTS: Kind<string | readonly string[]> = kindOf(
  "a string or an array of strings",
  value => typeof value === "string" || (isTextList(value) && value.length > 0),
);
export const TEXT_LIST: Kind<readonly string[]> = kindOf("an array of strings", isTextList);
export const SIGNAL: Kind<AbortSignal> = kindOf("an AbortSignal", hasMethod("throwIfAborted"));
export const READABLE: Kind<Readable> = kindOf("a readable stream", hasMethod("pipe"));

const STDOUT_HINT = "For stdout, pass process.stdout.";
/** A path, and never the "-" of command lines: it would be a file of that name. */
export const OUTPUT_PATH: Kind<string> = kindOf("the path of a file", isPath, STDOUT_HINT);
/** An empty path would be the current folder. */
export const FOLDER_PATH: Kind<string> = kindOf(
  "the path of a folder",
  value => typeof value === "string" && value !== "" && !value.includes("\0"),
);
export const OUTPUT: Kind<string | Writable> = kindOf(
  "a path or a writable stream",
  value => isPath(value) || hasMethod("write")(value),
  STDOUT_HINT,
);

/** Variables as in `process.env`. */
export const ENVIRONMENT: Kind<NodeJS.ProcessEnv> = kindOf(
  "an object like process.env",
  value => typeof value === "object" && value !== null && !Array.isArray(value),
);

/** The type of a function cannot be checked. */
export function callback<T>(): Kind<T> {
  return kindOf("a function", value => typeof value === "function");
}

/** Whether a value is an array of nothing but strings. */
export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(text => typeof text === "string");
}

function isPath(value: unknown): boolean {
  return typeof value === "string" && value !== "" && value !== "-";
}

function hasMethod(name: string): (value: unknown) => boolean {
  return value => typeof value === "object" && value !== null && name in value;
}
