import { describe, expect, test } from "vitest";
import { UsageError } from "../../../../src/errors.ts";
import { copyTo, pull, push, tag } from "../../../../src/index.ts";
import { listOf, oneOf, wholeNumber } from "../../../../src/verbs/options/option-values.ts";

describe("option values that a compiler did not check", () => {
  test.each<[unknown, string]>([
    ["newest", '"newest"'],
    [3, "3"],
    [null, "null"],
    [["semver"], "an array"],
    [{}, "an object"],
    [() => 1, "a function"],
  ])("oneOf() names what it found: %j", (value, found) => {
    const check = (): unknown => oneOf("sort", value as string, ["semver", "time", "name"]);
    expect(check).toThrow(new UsageError(`Cannot use option sort: found ${found}, expected semver, time or name`));
  });

  test("listOf() takes a string for a list of one, and nothing for an empty one", () => {
    expect(listOf("tag", "r.lan/app:1")).toEqual(["r.lan/app:1"]);
    expect(listOf("tag", ["a", "b"])).toEqual(["a", "b"]);
    expect(listOf("tag", undefined)).toEqual([]);
  });

  test.each<[unknown, string]>([
    [3, "3"],
    [["a", 3], "an array with other things than strings"],
  ])("listOf() refuses %j", (value, found) => {
    expect(() => listOf("tag", value as string)).toThrow(
      new UsageError(`Cannot use option tag: found ${found}, expected a string or an array of strings`),
    );
  });

  test.each([-1, 0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5"])("wholeNumber() refuses %j", value => {
    expect(() => wholeNumber("limit", value as number, 1)).toThrow(UsageError);
  });
});

describe("a string in place of a list", () => {
  const text = "/x.tar" as unknown as readonly string[];

  test.each<[string, () => Promise<unknown>, string]>([
    ["push()", async () => await push(text), 'Cannot push: found "/x.tar", expected an array of archives'],
    ["pull()", async () => await pull(text, { output: "o" }), 'Cannot pull: found "/x.tar", expected an array of'],
    ["copyTo()", async () => await copyTo(text, "r.lan/m"), 'Cannot copy: found "/x.tar", expected an array of'],
    ["tag()", async () => await tag("r.lan/a:1", text), 'Cannot tag: found "/x.tar", expected an array of names'],
  ])("%s refuses it at once instead of working on its characters", async (_name, call, message) => {
    await expect(call()).rejects.toMatchObject({
      code: "ERR_USAGE",
      message: expect.stringContaining(message),
      hint: "Put a single one in brackets.",
    });
  });
});
