import * as v from "valibot";
import { ArchiveError } from "../../errors.ts";
import { quote } from "../format.ts";
import { jsonPointer } from "./json-lexer.ts";

/** A check that turns unknown data into `T`. */
export interface Schema<T> extends v.GenericSchema<unknown, T> {
  /** The same check, in a tenth of the time: of data that does not pass it returns MISS, and not why. */
  readonly quick: (value: unknown) => T | typeof MISS;
}

/** What `quick` returns of data that does not pass. The general check says what is wrong with it. */
const MISS: unique symbol = Symbol("miss");

type Entries = Readonly<Record<string, Schema<unknown>>>;
type ObjectOutput<E extends Entries> = v.InferOutput<v.ObjectSchema<E, undefined>>;
type Optional<S extends Schema<unknown>> = v.NullishSchema<S, undefined> & Schema<v.InferOutput<S> | null | undefined>;

export function string(): Schema<string> {
  return { ...v.string(), quick: value => (typeof value === "string" ? value : MISS) };
}

export function number(): Schema<number> {
  return { ...v.number(), quick: value => (typeof value === "number" && !Number.isNaN(value) ? value : MISS) };
}

export function boolean(): Schema<boolean> {
  return { ...v.boolean(), quick: value => (typeof value === "boolean" ? value : MISS) };
}

export function unknown(): Schema<unknown> {
  return { ...v.unknown(), quick: value => value };
}

/** A value that may be null or absent. */
export function nullish<const S extends Schema<unknown>>(schema: S): Optional<S> {
  const { quick } = schema as Schema<v.InferOutput<S>>;
  return { ...v.nullish(schema), quick: value => (value === null || value === undefined ? value : quick(value)) };
}

export function array<T>(items: Schema<T>): Schema<T[]> {
  const quick = (value: unknown): T[] | typeof MISS => {
    if (!Array.isArray(value)) return MISS;
    const found: T[] = [];
    for (const item of value) {
      const one = items.quick(item);
      if (one === MISS) return MISS;
      found.push(one);
    }
    return found;
  };
  return { ...v.array(items), quick };
}

/** The first of the schemas that the value passes. */
export function union<T>(options: readonly Schema<T>[]): Schema<T> {
  const quick = (value: unknown): T | typeof MISS => {
    for (const option of options) {
      const found = option.quick(value);
      if (found !== MISS) return found;
    }
    return MISS;
  };
  return { ...v.union(options), quick };
}

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
  const quick = schema.quick(value);
  if (quick !== MISS) return quick;
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
  return { ...v.custom<T>(test, reason), expects: expected, quick: value => (test(value) ? value : MISS) };
}

/** An object with these fields; others are dropped. Unlike `v.object`, it refuses an array. */
export function fields<const E extends Entries>(entries: E): Schema<ObjectOutput<E>> {
  return { ...v.pipe(rule("json-type", "an object", isObject), v.object(entries)), quick: quickFields(entries) };
}

/** As `fields`; an object with any other field is refused. @param reason stable reason of that error. */
export function onlyFields<const E extends Entries>(reason: string, entries: E): Schema<ObjectOutput<E>> {
  const expected = `only ${Object.keys(entries).join(", ")}`;
  const schema = v.pipe(
    rule("json-type", "an object", isObject),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const input = dataset.value;
      const key = otherKey(input, entries);
      if (key === undefined) return input;
      const step = { type: "object", origin: "key", input, key, value: input[key] } as const;
      addIssue({ message: reason, expected, input: input[key], path: [step] });
      return NEVER;
    }),
    v.object(entries),
  );
  const quick = quickFields(entries);
  return {
    ...schema,
    quick: value => (isObject(value) && otherKey(value, entries) === undefined ? quick(value) : MISS),
  };
}

function otherKey(input: Readonly<Record<string, unknown>>, entries: Entries): string | undefined {
  return Object.keys(input).find(name => !Object.hasOwn(entries, name));
}

function quickFields<const E extends Entries>(entries: E): Schema<ObjectOutput<E>>["quick"] {
  const list = Object.entries<Schema<unknown>>(entries).map(
    ([key, { quick, type }]) => ({ key, quick, isOptional: type === "nullish" }) as const,
  );
  return value => {
    if (!isObject(value)) return MISS;
    const found: Record<string, unknown> = {};
    for (const { key, quick, isOptional } of list) {
      const field = value[key];
      // JSON has no undefined.
      if (field === undefined) {
        if (isOptional && !(key in value)) continue;
        return MISS;
      }
      const one = quick(field);
      if (one === MISS) return MISS;
      found[key] = one;
    }
    return found as ObjectOutput<E>;
  };
}

/** The output of `schema`, transformed by `change`. */
export function transformed<A, B>(schema: Schema<A>, change: (value: A) => B): Schema<B> {
  const quick = (value: unknown): B | typeof MISS => {
    const found = schema.quick(value);
    return found === MISS ? MISS : change(found);
  };
  return { ...v.pipe(schema, v.transform(change)), quick };
}

/** An object used as a map. The output is a Map, in which `__proto__` is an ordinary key. */
export function freeMap<T>(values: Schema<T>): Schema<ReadonlyMap<string, T>> {
  const schema = v.pipe(
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
  const quick = (value: unknown): ReadonlyMap<string, T> | typeof MISS => {
    if (!isObject(value)) return MISS;
    const result = new Map<string, T>();
    for (const [key, field] of Object.entries(value)) {
      const one = values.quick(field);
      if (one === MISS) return MISS;
      result.set(key, one);
    }
    return result;
  };
  return { ...schema, quick };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
