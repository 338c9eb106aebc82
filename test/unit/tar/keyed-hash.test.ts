import { expect, test } from "vitest";
import { KeyedHash } from "../../../src/tar/keyed-hash.ts";

test("KeyedHash gives the published values of HalfSipHash-1-3", () => {
  const hash = new KeyedHash(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7]));
  const bytes = Uint8Array.from({ length: 64 }, (_, at) => at);
  // Key 00…07, input the first n of the bytes 00, 01, 02 …; the 32-bit self-test values of the Linux kernel.
  const published = [0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6];
  expect(published.map((_, length) => hash.of(bytes, length))).toEqual(published);
});

test("KeyedHash takes another key each time", () => {
  const values = new Set(Array.from({ length: 8 }, () => new KeyedHash().of(Buffer.from("manifest.json"), 13)));
  expect(values.size).toBeGreaterThan(1);
});
