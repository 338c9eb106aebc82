import fc from "fast-check";
import { expect, test } from "vitest";
import { mapChunks } from "../../src/content/blob-chunks.ts";
import { CHUNK_BYTES, sharedChunks } from "../../src/content/chunks/chunks.ts";
import { pumpBlob } from "../../src/content/pump.ts";
import { noise, partsBlob, sha256Of, turns } from "../support/memory-blobs.ts";

const bytes = noise(3 * CHUNK_BYTES + 1);
const size = fc.oneof(
  fc.nat(3 * CHUNK_BYTES),
  fc.constantFrom(0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES),
);
const partBytes = fc.oneof(
  fc.integer({ min: 1000, max: 300_000 }),
  fc.constantFrom(65_536, CHUNK_BYTES, 2 * CHUNK_BYTES),
);

test("pumpBlob() packs any parts into full chunks that make up the blob", async () => {
  await fc.assert(
    fc.asyncProperty(size, partBytes, async (total, part) => {
      const found = Buffer.alloc(total);
      const lengths: number[] = [];
      await pumpBlob(partsBlob(bytes.subarray(0, total), part), async (chunk, position) => {
        expect(position).toBe(lengths.length * CHUNK_BYTES);
        lengths.push(chunk.length);
        await turns(lengths.length % 3);
        found.set(chunk, position);
      });
      expect(lengths.slice(0, -1).every(length => length === CHUNK_BYTES)).toBe(true);
      expect(sha256Of(found)).toBe(sha256Of(bytes.subarray(0, total)));
      expect(sharedChunks.lentChunks).toBe(0);
    }),
    { numRuns: 25 },
  );
});

test("mapChunks() gives results in order, whatever each takes, until its reader leaves or a map fails", async () => {
  const delays = fc.array(fc.nat(6), { minLength: 4, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(size, delays, fc.nat(5), fc.option(fc.nat(3)), async (total, waits, wanted, failing) => {
      const results: number[] = [];
      const mapped = mapChunks(partsBlob(bytes.subarray(0, total), 100_000), async (_chunk, position) => {
        const index = position / CHUNK_BYTES;
        await turns(waits[index] ?? 0);
        if (index === failing) throw new Error(`map ${index}`);
        return new Uint8Array([index]);
      });
      const reading = (async () => {
        for await (const [index = -1] of mapped) {
          results.push(index);
          if (results.length > wanted) break;
        }
      })();
      const chunks = Math.ceil(total / CHUNK_BYTES);
      await reading.catch(error => expect(error).toEqual(new Error(`map ${failing}`)));
      expect(results).toEqual(results.map((_, index) => index));
      expect(results.length).toBe(
        Math.min(chunks, wanted + 1, failing === null ? chunks : Math.min(results.length, failing)),
      );
      expect(sharedChunks.lentChunks).toBe(0);
    }),
    { numRuns: 40 },
  );
});
