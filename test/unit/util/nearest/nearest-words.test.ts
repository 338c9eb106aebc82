import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editDistance } from "../../../../src/util/nearest/edit-distance.ts";
import { nearestWords } from "../../../../src/util/nearest/nearest-words.ts";

const NAMES = ["push", "pull", "inspect", "convert", "login", "logout", "tag", "tags", "password-stdin", "plain-http"];

describe("nearestWords()", () => {
  test.each<[string, readonly string[]]>([
    ["psuh", ["push"]],
    ["pus", ["push"]],
    ["PULL", ["pull"]],
    ["inspct", ["inspect"]],
    ["tga", ["tag"]],
    ["tagz", ["tag", "tags"]],
    ["log", ["login", "logout"]],
    ["conv", ["convert"]],
    ["password", ["password-stdin"]],
    ["plainhttp", ["plain-http"]],
    ["plain_http", ["plain-http"]],
  ])("finds what %s means", (word, expected) => {
    expect(nearestWords(word, NAMES, 3)).toEqual(expected);
  });

  test.each(["", "p", "pu", "frobnicate", "import", "list", "save", "x".repeat(10_000)])(
    "finds nothing for %s",
    word => {
      expect(nearestWords(word, NAMES, 3)).toEqual([]);
    },
  );
});

describe("editDistance()", () => {
  test.each([
    ["", "abc", 3],
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ])("of %j and %j is %d", (left, right, expected) => {
    expect(editDistance(left, right)).toBe(expected);
  });

  test("is the same in both directions, and at most the longer length", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
    fc.assert(
      fc.property(text, text, (left, right) => {
        const distance = editDistance(left, right);
        expect(distance).toBe(editDistance(right, left));
        expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
        expect(distance === 0).toBe(left === right);
      }),
    );
  });
});
