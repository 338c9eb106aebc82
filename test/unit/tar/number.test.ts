import { expect, test } from "vitest";
import { decodeOctal, decodeSize, encodeSize } from "../../../src/tar/number.ts";

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");

test.each<[string, number | undefined]>([
  ["00000000017\0", 15],
  ["         17 ", 15],
  ["17\0         ", 15],
  ["777777777777", 8 ** 12 - 1],
  ["0", 0],
  ["", undefined],
  ["            ", undefined],
  ["\0\0\0\0", undefined],
  ["8", undefined],
  ["1 2", undefined],
  ["1\u00002", undefined],
  ["-1", undefined],
  ["\t1", undefined],
  ["1x", undefined],
])("decodeOctal() reads %j as %s", (text, expected) => {
  expect(decodeOctal(bytesOf(text), 0, text.length)).toBe(expected);
});

test("decodeOctal() keeps to its field", () => {
  expect(decodeOctal(bytesOf("9917 99"), 2, 5)).toBe(15);
});

test("decodeSize() takes base-256 up to 2^53 - 1 and nothing beyond", () => {
  const field = Uint8Array.of(0x80, 0, 0, 0, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
  expect(decodeSize(field, 0, 12)).toBe(Number.MAX_SAFE_INTEGER);
  field[5] = 0x20;
  expect(decodeSize(field, 0, 12)).toBeUndefined();
});

test("encodeSize() and decodeSize() agree around the octal limit", () => {
  for (const size of [0, 1, 2 ** 33 - 1, 2 ** 33, 2 ** 33 + 1, Number.MAX_SAFE_INTEGER]) {
    expect(decodeSize(encodeSize(size), 0, 12)).toBe(size);
  }
});
