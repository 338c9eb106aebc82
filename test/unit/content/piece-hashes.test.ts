import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PieceHashes } from "../../../src/content/piece-hashes.ts";
import { noise } from "../../support/memory-blobs.ts";

const bytes = noise(3000);

test("PieceHashes gives the hash of each piece, however the blob is cut and wherever it begins", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1200 }),
      fc.integer({ min: 0, max: 2000 }),
      fc.array(fc.integer({ min: 0, max: 900 })),
      async (pieceBytes, from, sizes) => {
        const hashes = new PieceHashes(pieceBytes, from);
        const taken: Promise<void>[] = [];
        let at = from;
        for (const size of [...sizes, bytes.length]) {
          taken.push(hashes.take(bytes.subarray(at, at + size)));
          at += size;
        }
        await Promise.all(taken);
        const expected: string[] = [];
        for (let start = from; start < bytes.length; ) {
          const end = Math.min(bytes.length, start - (start % pieceBytes) + pieceBytes);
          expected.push(createHash("sha256").update(bytes.subarray(start, end)).digest("hex"));
          start = end;
        }
        expect(await hashes.pieces()).toEqual(expected);
      },
    ),
    { numRuns: 50 },
  );
});
