import { Readable } from "node:stream";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { gunzip } from "../../src/compress/gzip/gunzip.ts";
import { gzipBlockHere } from "../../src/compress/gzip/gzip-blocks.ts";
import { GZIP_BLOCK_BYTES, gzipProfile } from "../../src/compress/gzip/gzip-profile.ts";
import { collect, noise } from "../support/memory-blobs.ts";

const randomBytes = noise(200_000, 99);
/** Noise, repetition and zeros in turns: what stores, what shrinks, and what does both within one block. */
const content = fc
  .array(
    fc.oneof(
      fc.tuple(fc.nat(100_000), fc.nat(100_000)).map(([start, length]) => randomBytes.subarray(start, start + length)),
      fc.nat(150_000).map(length => new Uint8Array(length)),
      fc
        .uint8Array({ minLength: 1, maxLength: 40 })
        .chain(unit => fc.nat(2000).map(times => Buffer.concat(Array.from({ length: times }, () => unit)))),
      fc.uint8Array({ maxLength: 300 }),
    ),
    { maxLength: 5 },
  )
  .map(parts => Buffer.concat(parts));
const level = fc.constantFrom(1, 2, 4, 9);

async function gzip(input: Uint8Array, of: number): Promise<Uint8Array> {
  const target = new Uint8Array(GZIP_BLOCK_BYTES + 1024);
  return (await gzipBlockHere(input, target, gzipProfile(of))).slice();
}

test("gunzip(gzipBlockHere(x)) is x, for any content and level", async () => {
  await fc.assert(
    fc.asyncProperty(content, level, async (input, of) => {
      const member = await gzip(input, of);
      expect(gunzipSync(member).equals(input)).toBe(true);
      // A block that does not shrink costs its framing, no more: the pool's chunks have room for that.
      expect(member.length).toBeLessThanOrEqual(input.length + 18 + 5 * Math.max(1, Math.ceil(input.length / 65_535)));
    }),
    { numRuns: 40 },
  );
});

test("gzipBlockHere() leaves what lies behind the member alone, and its result does not depend on it", async () => {
  await fc.assert(
    fc.asyncProperty(content, async input => {
      const dirty = new Uint8Array(GZIP_BLOCK_BYTES + 1024).fill(0xaa);
      const member = await gzipBlockHere(input, dirty, gzipProfile());
      expect(Buffer.from(member).equals(await gzip(input, 2))).toBe(true);
      expect(dirty.subarray(member.length).every(byte => byte === 0xaa)).toBe(true);
    }),
    { numRuns: 10 },
  );
});

test("gunzip() reads members of any content in any chunking", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(content, { maxLength: 3 }),
      fc.integer({ min: 50, max: 70_000 }),
      async (inputs, partBytes) => {
        fc.pre(inputs.length > 0);
        const file = Buffer.concat(await Promise.all(inputs.map(async input => await gzip(input, 2))));
        const parts: Uint8Array[] = [];
        for (let at = 0; at < file.length; at += partBytes) parts.push(file.subarray(at, at + partBytes));
        const found = await collect(gunzip(Readable.from(parts), "the test"));
        expect(Buffer.concat(inputs).equals(found)).toBe(true);
      },
    ),
    { numRuns: 25 },
  );
});
