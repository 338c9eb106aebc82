import { describe, expect, test } from "vitest";
import { ArchiveError, AuthError } from "../../../../src/errors.ts";
import {
  array,
  checkSchema,
  fields,
  freeMap,
  nullish,
  number,
  rule,
  type Schema,
  string,
  transformed,
} from "../../../../src/util/json/schema.ts";

const isEven = (value: unknown): value is number => typeof value === "number" && value % 2 === 0;
const schema = fields({
  name: string(),
  sizes: nullish(array(number())),
  even: nullish(rule("odd-number", "an even number", isEven)),
  map: nullish(freeMap(array(string()))),
});

function fault(value: unknown, wanted: Schema<unknown> = schema): ArchiveError {
  try {
    checkSchema(wanted, value, "document", "a test");
  } catch (error) {
    if (error instanceof ArchiveError) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("checkSchema()", () => {
  test("returns known fields and drops others", () => {
    expect(checkSchema(schema, { name: "a", sizes: null, other: 1 }, "document", "a test")).toEqual({
      name: "a",
      sizes: null,
    });
  });

  test.each([
    ["a wrong type", { name: 7 }, "json-type", 'found a number at "/name", expected a string'],
    ["a missing field", {}, "json-missing", 'found nothing at "/name", expected a value'],
    ["null for a needed field", { name: null }, "json-type", 'found null at "/name", expected a string'],
    ["an array for an object", [], "json-type", "found an array at the top, expected an object"],
    ["an object for an array", { name: "a", sizes: {} }, "json-type", 'found an object at "/sizes", expected an array'],
    ["a bad item", { name: "a", sizes: [1, "x"] }, "json-type", 'found a string at "/sizes/1", expected a number'],
    ["a broken rule", { name: "a", even: 3 }, "odd-number", 'found a number at "/even", expected an even number'],
    [
      "a bad value in a map",
      { name: "a", map: { "x/y": ["a", 1] } },
      "json-type",
      'found a number at "/map/x~1y/1", expected a string',
    ],
    ["an array for a map", { name: "a", map: [] }, "json-type", 'found an array at "/map", expected an object'],
  ])("names pointer and type of %s", (_, value, reason, message) => {
    const error = fault(value);
    expect(error.reason).toBe(reason);
    expect(error.message).toBe(`Cannot read document from a test: ${message}`);
  });

  test("keeps the reason of a rule inside a map", () => {
    const inMap = fields({ map: freeMap(rule("odd-number", "an even number", isEven)) });
    expect(fault({ map: { a: 1 } }, inMap).reason).toBe("odd-number");
  });

  test("never echoes the value", () => {
    expect(fault({ name: "a", sizes: "hunter2" }).message).not.toContain("hunter2");
  });

  test("throws what `fail` makes", () => {
    const fail = (_: string, message: string): Error => new AuthError(message);
    expect(() => checkSchema(schema, {}, "token reply", "a test", fail)).toThrow(AuthError);
  });
});

test("freeMap() keeps keys that are names of Object.prototype (M-12)", () => {
  const value: unknown = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}');
  const map = checkSchema(freeMap(string()), value, "document", "a test");
  expect([...map]).toEqual([
    ["__proto__", "a"],
    ["constructor", "b"],
    ["toString", "c"],
  ]);
});

test("transformed() changes what passed and leaves faults alone", () => {
  const length = transformed(string(), text => text.length);
  expect(checkSchema(length, "abc", "document", "a test")).toBe(3);
  expect(fault(1, length).reason).toBe("json-type");
});
