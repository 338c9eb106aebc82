import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { boundGarbage } from "../../../src/launch/bound-garbage.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function flagsAfter(runMs: number, engine = "11.3.244.8-node.33"): readonly string[] {
  const flags: string[] = [];
  const bound = boundGarbage(text => void flags.push(text), engine);
  vi.advanceTimersByTime(runMs);
  bound[Symbol.dispose]();
  vi.advanceTimersByTime(60_000);
  return flags;
}

test("a long run bounds its garbage, and ends with the flags that its compiled code has", () => {
  expect(flagsAfter(10_000)).toEqual(["--heap-growing-percent=150", "--heap-growing-percent=0"]);
});

test("a short run keeps its flags: code of Node need not be compiled again", () => {
  expect(flagsAfter(100)).toEqual([]);
});

test("an engine that may not know the flag, and would say so on stderr, is left alone", () => {
  expect(flagsAfter(10_000, "99.1")).toEqual([]);
  expect(flagsAfter(10_000, "")).toEqual([]);
});
