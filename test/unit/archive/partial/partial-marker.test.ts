import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../../../src/archive/open-archive.ts";
import { decodeMarker, encodeMarker, MARKER_BYTES } from "../../../../src/archive/partial/partial-marker.ts";
import { ArchiveError } from "../../../../src/errors.ts";

import { fileWith } from "../../../support/images.ts";

const marker = { nonce: "0123456789abcdef", command: "00112233445566778899aabbccddeeff" };
const bytes = Buffer.from(encodeMarker(marker));

describe("decodeMarker()", () => {
  test("gives back what encodeMarker() wrote", () => {
    const hex = (size: number): fc.Arbitrary<string> =>
      fc.uint8Array({ minLength: size, maxLength: size }).map(array => Buffer.from(array).toString("hex"));
    fc.assert(
      fc.property(fc.record({ nonce: hex(8), command: hex(16) }), some => {
        expect(decodeMarker(Buffer.from(encodeMarker(some)))).toEqual(some);
      }),
    );
  });

  test("is undefined for zeros, a cut marker, and a marker with a changed field", () => {
    expect(decodeMarker(Buffer.alloc(MARKER_BYTES))).toBeUndefined();
    expect(decodeMarker(bytes.subarray(0, MARKER_BYTES - 1))).toBeUndefined();
    for (const at of [0, 27, 64, 71, 72, 87, 88, 91]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(decodeMarker(changed)).toBeUndefined();
    }
  });
});

describe("encodeMarker()", () => {
  test("gives one block that no reader of tars takes for a header", async () => {
    expect(bytes).toHaveLength(512);
    const path = await fileWith(Buffer.concat([bytes, Buffer.alloc(1024)]));
    await expect(openArchive(path)).rejects.toThrow(ArchiveError);
  });
});
