import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { isDigest } from "../../../../src/oci/digest.ts";

const COUNT = 20_000;

function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("globalThis.gc") as () => void)();
}

test("a digest that is read many times takes the memory of one", () => {
  const read = JSON.stringify(Array.from({ length: COUNT }, (_, index) => `sha256:${String(index).padStart(64, "0")}`));
  const kept: string[][] = [];
  const bytesOf = (texts: string[]): number => {
    collect();
    const before = process.memoryUsage().heapUsed;
    kept.push(texts);
    expect(texts.every(isDigest)).toBe(true);
    collect();
    return before - process.memoryUsage().heapUsed;
  };
  kept.push(JSON.parse(read) as string[]);
  expect(kept[0]?.every(isDigest)).toBe(true);
  // The list itself stays; of its strings, 64 bytes and more each are freed.
  expect(bytesOf(JSON.parse(read) as string[])).toBeGreaterThan(COUNT * 64);
});
