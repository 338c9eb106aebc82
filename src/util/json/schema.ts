import * as v from "valibot";
import { ArchiveError } from "../../errors.ts";
import { quote } from "../format.ts";
import { jsonPointer } from "./json-lexer.ts";

export { array, boolean, nullish, number, string, union, unknown } from "valibot";

/** A check that turns unknown data into `T`. */
export type Schema<T> = v.GenericSchema<unknown, T>;

type ObjectOutput<E extends v.ObjectEntries> = v.InferOutput<v.ObjectSchema<E, undefined>>;

const TYPE_NAMES: Readonly<Record<string, string>> = {
  Array: "an array",
  Object: "an object",
  boolean: "true or false",
  number: "a number",
  string: "a string",
};

/**
 * @throws the error of `fail` (default ArchiveError). Reasons: "json-missing", "json-type", or the reason of a `rule`. The
 * message has the JSON pointer and the type found, never the value, which may be a secret.
 */
export function checkSchema<T>(
  schema: Schema<T>,
  value: unknown,
  what: string,
  where: string,
  fail: (reason: string, message: string) => Error = (reason, message) => new ArchiveError(reason, message),
): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const pointer = jsonPointer((issue.path ?? []).map(step => String(step.key)));
  const position = pointer === "" ? "at the top" : `at ${quote(pointer)}`;
  const [reason, expected] = explain(issue);
  return raise(
    fail(reason, `Cannot read ${what} from ${where}: found ${typeName(issue.input)} ${position}, expected ${expected}`),
  );
}

/** The issues of `rule` and `freeMap` carry the reason as their message. */
function explain(issue: v.BaseIssue<unknown>): readonly [reason: string, expected: string] {
  if (issue.input === undefined) return ["json-missing", "a value"];
  if (issue.type !== "custom" && issue.type !== "raw_transform")
    return ["json-type", TYPE_NAMES[issue.expected ?? ""] ?? issue.expected ?? "another value"];
  return [issue.message, issue.expected ?? "another value"];
}

function typeName(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return TYPE_NAMES[Array.isArray(value) ? "Array" : typeof value] ?? "an object";
}

function raise(error: Error): never {
  throw error;
}

/** A value that passes `test`. @param reason stable reason of the error. @param expected completes "expected …". */
export function rule<T>(reason: string, expected: string, test: (value: unknown) => value is T): Schema<T> {
  return { ...v.custom<T>(test, reason), expects: expected };
}

/** An object with these fields; others are dropped. Unlike `v.object`, it refuses an array. */
export function fields<const E extends v.ObjectEntries>(entries: E): Schema<ObjectOutput<E>> {
  return v.pipe(rule("json-type", "an object", isObject), v.object(entries));
}

/** As `fields`; an object with any other field is refused. @param reason stable reason of that error. */
export function onlyFields<const E extends v.ObjectEntries>(reason: string, entries: E): Schema<ObjectOutput<E>> {
  const expected = `only ${Object.keys(entries).join(", ")}`;
  return v.pipe(
    rule("json-type", "an object", isObject),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const input = dataset.value;
      const key = Object.keys(input).find(name => !Object.hasOwn(entries, name));
      if (key === undefined) return input;
      const step = { type: "object", origin: "key", input, key, value: input[key] } as const;
      addIssue({ message: reason, expected, input: input[key], path: [step] });
      return NEVER;
    }),
    v.object(entries),
  );
}

/** The output of `schema`, transformed by `change`. */
export function transformed<A, B>(schema: Schema<A>, change: (value: A) => B): Schema<B> {
  return v.pipe(schema, v.transform(change));
}

/** An object used as a map. The output is a Map, in which `__proto__` is an ordinary key. */
export function freeMap<T>(values: Schema<T>): Schema<ReadonlyMap<string, T>> {
  return v.pipe(
    rule("json-type", "an object", isObject),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const input = dataset.value;
      const result = new Map<string, T>();
      for (const [key, value] of Object.entries(input)) {
        const checked = v.safeParse(values, value, { abortEarly: true });
        if (!checked.success) {
          const [inner] = checked.issues;
          const [reason, expected] = explain(inner);
          const step = { type: "object", origin: "value", input, key, value } as const;
          addIssue({ message: reason, expected, input: inner.input, path: [step, ...(inner.path ?? [])] });
          return NEVER;
        }
        result.set(key, checked.output);
      }
      return result;
    }),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
