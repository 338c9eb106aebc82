import type { Readable, Writable } from "node:stream";
import { isPromise } from "node:util/types";
import { callerError } from "../caller-error.ts";
import { alternatives } from "../format.ts";
import { badOption, checkedFields, type Kind, type OptionsShape, textList } from "./checked-options.ts";
import { MAX_CONCURRENCY } from "./option-limits.ts";

/**
 * @param expected completes "expected …".
 * @param accepted returns what to use, or undefined for a value that the option does not take.
 */
export function kindOf<T>(expected: string, accepted: (value: unknown) => T | undefined, hint?: string): Kind<T> {
  return {
    checked: (value, option) => {
      const used = accepted(value);
      if (used === undefined) throw badOption(option, value, expected, hint);
      return used;
    },
  };
}

export function required<T>(kind: Kind<T>): Kind<T> & { readonly isRequired: true } {
  return { ...kind, isRequired: true };
}

/** An object whose fields have these kinds. */
export function group<T>(shape: OptionsShape<T>): Kind<T> {
  return { checked: (value, option) => checkedFields(value, shape, `${option}.`) };
}

export function choice<T extends string>(values: readonly T[]): Kind<T> {
  return kindOf(alternatives(values), value => values.find(known => known === value));
}

export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  const expected = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return kindOf(`a whole number ${expected}`, value =>
    typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most ? value : undefined,
  );
}

export const TEXT: Kind<string> = kindOf("a string", value => (typeof value === "string" ? value : undefined));
export const FLAG: Kind<boolean> = kindOf("true or false", value => (typeof value === "boolean" ? value : undefined));
export const CONCURRENCY_KIND: Kind<number> = whole(1, MAX_CONCURRENCY);
/** An empty array says neither "all" nor "none". */
export const TEXTS: Kind<string | readonly string[]> = kindOf("a string or an array of strings", value => {
  const texts = typeof value === "string" ? value : textList(value);
  return texts === undefined || (typeof value !== "string" && texts.length === 0) ? undefined : texts;
});
export const TEXT_LIST: Kind<readonly string[]> = kindOf("an array of strings", textList);
export const SIGNAL: Kind<AbortSignal> = kindOf("an AbortSignal", value =>
  value instanceof AbortSignal ? value : undefined,
);
export const READABLE: Kind<Readable> = kindOf("a readable stream", value => (isReadable(value) ? value : undefined));

const STDOUT_HINT = "For stdout, pass process.stdout.";
/** A path, and never the "-" of command lines: it would be a file of that name. */
export const OUTPUT_PATH: Kind<string> = kindOf("the path of a file", pathOf, STDOUT_HINT);
/** An empty path would be the current folder. */
export const FOLDER_PATH: Kind<string> = kindOf("the path of a folder", value =>
  typeof value === "string" && value !== "" && !value.includes("\0") ? value : undefined,
);
export const OUTPUT: Kind<string | Writable> = kindOf(
  "a path or a writable stream",
  value => (isWritable(value) ? value : pathOf(value)),
  STDOUT_HINT,
);

/** Variables as in `process.env`. */
export const ENVIRONMENT: Kind<NodeJS.ProcessEnv> = kindOf("an object like process.env", value => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const variables = Object.entries(value).filter(([, text]) => text !== undefined);
  return variables.every(([, text]) => typeof text === "string") ? Object.fromEntries(variables) : undefined;
});

/**
 * A function that is called with events. The call does not wait for what it returns, and a promise that rejects must not
 * end the process. What it throws is the caller's to see. The types of its parameters cannot be checked.
 */
export function listener<Event>(): Kind<(event: Event) => void> {
  return kindOf("a function", value => (isFunction(value) ? event => notify(value, event) : undefined));
}

/** A listener of what outlives the call: no promise is left to reject, so that what it throws is ignored. */
export function observer<Event>(): Kind<(event: Event) => void> {
  const { checked } = listener<Event>();
  return {
    checked: (value, option) => {
      const listen = checked(value, option);
      return event => {
        try {
          listen(event);
        } catch {}
      };
    },
  };
}

/** A function that is asked, and waited for. Only true is consent, never what merely counts as true. */
export function decision<Question>(): Kind<(question: Question) => Promise<boolean>> {
  return kindOf("a function", value =>
    isFunction(value) ? async question => (await value(question)) === true : undefined,
  );
}

function notify(listen: (argument: unknown) => unknown, event: unknown): void {
  try {
    const answer = listen(event);
    if (isPromise(answer)) answer.catch(() => undefined);
  } catch (error) {
    throw callerError(error);
  }
}

function pathOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value !== "-" ? value : undefined;
}

function isFunction(value: unknown): value is (argument: unknown) => unknown {
  return typeof value === "function";
}

/** Whether it has what imgpack and Node use of such a stream. */
function isReadable(value: unknown): value is Readable {
  return hasMethods(value, ["on", "pipe", "destroy", Symbol.asyncIterator]);
}

function isWritable(value: unknown): value is Writable {
  return hasMethods(value, ["on", "off", "write"]);
}

function hasMethods(value: unknown, names: readonly (string | symbol)[]): boolean {
  return typeof value === "object" && value !== null && names.every(name => isFunction(Reflect.get(value, name)));
}
