import { inflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { deflate } from "../../../../../src/compress/gzip/deflate/deflate.mjs";
import { noise } from "../../../../support/memory-blobs.ts";
import { strictInflate } from "../../../../support/strict-inflate.mjs";

const KIB = 1024;
const BLOCK = 32 * KIB;
const random = noise(300_000, 5);

function check(input: Uint8Array): number {
  const sizes = [1, 2].map(level => {
    const output = Buffer.from(deflate(input, level));
    expect(strictInflate(output, input.length).equals(input)).toBe(true);
    expect(inflateRawSync(output).equals(input)).toBe(true);
    return output.length;
  });
  return Math.max(...sizes);
}

function repeated(unit: Uint8Array, bytes: number): Buffer {
  return Buffer.alloc(bytes, unit);
}

describe("deflate() at both levels gives a stream that inflates to the input", () => {
  test("of 0 to 80 bytes, equal or different", () => {
    for (let length = 0; length <= 80; length += 1) {
      check(random.subarray(0, length));
      check(new Uint8Array(length).fill(7));
      check(repeated(random.subarray(0, 5), length));
    }
  });

  test.each([-2, -1, 0, 1, 2])("whose size is that of one, one and a quarter, or two blocks, and %i", more => {
    for (const bytes of [BLOCK, BLOCK + BLOCK / 4, 2 * BLOCK, 2 * BLOCK + BLOCK / 4]) {
      check(random.subarray(0, bytes + more));
      check(repeated(random.subarray(0, 999), bytes + more));
    }
  });

  test("with a run of literals as long as a block", () => {
    // Values below 128 shrink without any match.
    check(random.subarray(0, BLOCK + BLOCK / 4).map(byte => byte & 127));
  });

  test.each([32_766, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537])(
    "that repeats itself after %i bytes",
    distance => {
      const input = repeated(random.subarray(0, distance), distance + 5000);
      const size = check(input);
      // A window of 32 KiB reaches a repetition up to that distance, and no further.
      if (distance <= 32_768) expect(size).toBeLessThan(distance + 1000);
      else expect(size).toBeGreaterThan(distance + 4900);
    },
  );

  test.each([256, 257, 258, 259, 260, 261, 262, 515, 516, 517, 518, 519, 520])("with a match of %i bytes", length => {
    const start = random.subarray(0, 600);
    const apart = random.subarray(1000, 1030);
    check(Buffer.concat([start, start.subarray(0, length), apart, start.subarray(7, 7 + length), apart]));
    check(Buffer.concat([start, new Uint8Array(length), apart]));
  });

  test("with a repetition that ends at, or a few bytes before, the end", () => {
    const start = random.subarray(0, 500);
    for (let left = 0; left <= 20; left += 1) {
      for (const length of [3, 4, 5, 16, 17, 40]) {
        check(Buffer.concat([start, start.subarray(100, 100 + length), random.subarray(5000, 5000 + left)]));
      }
    }
  });

  test("with one distance only, with none, and with all lengths", () => {
    check(repeated(random.subarray(0, 40), 300));
    check(random.subarray(0, 3000).map(byte => byte & 15));
    const parts: Uint8Array[] = [random.subarray(0, 300)];
    for (let length = 3; length <= 258; length += 1)
      parts.push(random.subarray(length & 31, (length & 31) + length), random.subarray(300 + length, 303 + length));
    check(Buffer.concat(parts));
  });

  test("whose byte frequencies would need codes of more than 15 bits", () => {
    const parts: Uint8Array[] = [];
    for (let value = 0, [last, next] = [1, 1]; value < 21; value += 1, [last, next] = [next, last + next]) {
      parts.push(new Uint8Array(last).fill(value * 11));
    }
    const sorted = Buffer.concat(parts);
    // Shuffled by a step that shares no factor with the size, so that few matches hide the frequencies.
    const step = 10_007;
    check(Uint8Array.from(sorted, (_byte, index) => sorted[(index * step) % sorted.length] ?? 0));
  });

  test("that has blocks to store between blocks to compress", () => {
    const text = repeated(Buffer.from("Layers are read in place. "), 50_000);
    const size = check(Buffer.concat([text, random.subarray(0, 100_000), text, random.subarray(0, 70_001), text]));
    expect(size).toBeLessThan(180_000);
  });

  test("of 1 MiB of zeros", () => {
    expect(check(new Uint8Array(1024 * KIB))).toBeLessThan(3000);
  });
});

test("deflate() adds at most five bytes per block to noise, and a few", () => {
  for (const bytes of [1, 100, BLOCK, 300_000]) {
    expect(check(random.subarray(0, bytes))).toBeLessThanOrEqual(bytes + 5 * Math.ceil(bytes / BLOCK) + 5);
  }
});

test("deflate() writes the same bytes whatever it compressed before", () => {
  const inputs = [0, 1, 17, 500, 40_000, 131_072].map(bytes => repeated(random.subarray(0, 20_000), bytes));
  for (const level of [1, 2]) {
    const first = inputs.map(input => Buffer.from(deflate(input, level)));
    for (const byte of [0, 255]) deflate(new Uint8Array(1024 * KIB).fill(byte), level);
    deflate(random, level);
    const again = inputs.toReversed().map(input => Buffer.from(deflate(input, level)));
    expect(again.toReversed()).toEqual(first);
  }
});
