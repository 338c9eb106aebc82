import fc from "fast-check";
import { expect, test } from "vitest";
import { joinWrites } from "../../../src/tar/join-writes.ts";

const at = (position: number, length: number, value = 1) => ({ position, bytes: new Uint8Array(length).fill(value) });

test("joinWrites() makes one write of small neighbours, and leaves holes and large bodies alone", () => {
  const large = at(2000, 64 * 1024);
  const pieces = [at(0, 512), at(512, 100, 2), at(612, 412, 0), at(1488, 512), large, at(2000 + 64 * 1024, 100)];
  const joined = [...joinWrites(pieces)];
  expect(joined.map(({ position, bytes }) => [position, bytes.length])).toEqual([
    [0, 1024],
    [1488, 512],
    [2000, 64 * 1024],
    [2000 + 64 * 1024, 100],
  ]);
  expect(joined[2]?.bytes).toBe(large.bytes);
});

test("joinWrites() writes the same bytes at the same places", () => {
  const lengths = fc.array(fc.tuple(fc.nat(40_000), fc.constantFrom(0, 0, 7)), { maxLength: 20 });
  fc.assert(
    fc.property(lengths, list => {
      let position = 0;
      const pieces = list.map(([length, hole], index) => {
        const piece = at(position + hole, length, (index % 200) + 1);
        position += hole + length;
        return piece;
      });
      const file = (written: Iterable<{ position: number; bytes: Uint8Array }>): Buffer => {
        const bytes = Buffer.alloc(position);
        for (const part of written) bytes.set(part.bytes, part.position);
        return bytes;
      };
      expect(file(joinWrites(pieces)).equals(file(pieces))).toBe(true);
    }),
    { numRuns: 50 },
  );
});
