import fc from "fast-check";
import { expect, test } from "vitest";
import { describeBytes } from "../../src/oci/descriptor.ts";
import { type Digest, digestAlgorithm, digestHex, isDigest } from "../../src/oci/digest.ts";
import { cpuMs } from "../support/cpu-time.ts";

const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length });
const digest: fc.Arbitrary<Digest> = fc.oneof(
  hex(64).map(text => `sha256:${text}` as const),
  hex(128).map(text => `sha512:${text}` as const),
);

test("isDigest() accepts every digest, and its parts make it again", () => {
  fc.assert(
    fc.property(digest, text => {
      expect(isDigest(text)).toBe(true);
      expect(`${digestAlgorithm(text)}:${digestHex(text)}`).toBe(text);
    }),
  );
});

test("isDigest() refuses every insertion and deletion, and every replacement by a foreign character", () => {
  const character = fc.string({ unit: "binary", minLength: 1, maxLength: 1 });
  fc.assert(
    fc.property(digest, fc.nat(), character, (text, seed, foreign) => {
      const at = seed % text.length;
      expect(isDigest(text.slice(0, at) + foreign + text.slice(at))).toBe(false);
      expect(isDigest(text.slice(0, at) + text.slice(at + 1))).toBe(false);
      if (at < 7 ? foreign !== text[at] : !"0123456789abcdef".includes(foreign)) {
        expect(isDigest(text.slice(0, at) + foreign + text.slice(at + 1))).toBe(false);
      }
    }),
  );
});

test("isDigest() answers for 100,000 characters in under 50 ms", () => {
  const text = `sha256:${"a".repeat(100_000)}`;
  expect(cpuMs(() => expect(isDigest(text)).toBe(false))).toBeLessThan(50);
});

test("describeBytes() always makes a digest and tells the length", () => {
  fc.assert(
    fc.property(fc.uint8Array(), bytes => {
      const descriptor = describeBytes("application/x", bytes);
      expect(isDigest(descriptor.digest)).toBe(true);
      expect(descriptor.size).toBe(bytes.length);
    }),
  );
});
