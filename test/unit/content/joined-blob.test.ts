import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesBlob } from "../../../src/content/blob.ts";
import { CHUNK_BYTES, sharedChunks } from "../../../src/content/chunks/chunks.ts";
import type { BlobSource } from "../../../src/content/contracts.ts";
import { joinedBlob, patchedBlob } from "../../../src/content/joined-blob.ts";
import { pumpBlob, readBlob } from "../../../src/content/pump.ts";
import { noise, partsBlob } from "../../support/memory-blobs.ts";

async function pumped(blob: BlobSource): Promise<Buffer> {
  const bytes = Buffer.alloc(blob.size);
  let next = 0;
  await pumpBlob(blob, async (chunk, position) => {
    expect(position).toBe(next);
    next = position + chunk.length;
    bytes.set(chunk, position);
  });
  expect(next).toBe(blob.size);
  return bytes;
}

async function opened(blob: BlobSource, start: number, end: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await blob.open({ start, end })) parts.push(Buffer.from(part as Uint8Array));
  return Buffer.concat(parts);
}

const bytes = fc.uint8Array({ maxLength: 40 });

test("a joined blob is its parts one after the other: whole, pumped, and any range of it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 5 }), fc.nat(200), fc.nat(200), async (parts, one, other) => {
      const whole = Buffer.concat(parts);
      const blob = joinedBlob(parts.map(part => ({ source: bytesBlob(part) })));
      expect(blob.size).toBe(whole.length);
      expect(await readBlob(blob, 1000)).toEqual(whole);
      expect(await pumped(blob)).toEqual(whole);
      const [start = 0, end = 0] = [one, other].map(at => at % (whole.length + 1)).sort((left, right) => left - right);
      expect(await opened(blob, start, end)).toEqual(whole.subarray(start, end));
    }),
    { numRuns: 100 },
  );
});

test("replaced bytes of a blob are not read: they may be unreadable", async () => {
  const broken: BlobSource = {
    size: 100,
    async open(range = { start: 0, end: 100 }) {
      if (range.start < 60 && range.end > 20) throw new Error("bad sector");
      return await bytesBlob(Buffer.alloc(100, 1)).open(range);
    },
  };
  const pieces = new Map([
    [20, bytesBlob(Buffer.alloc(30, 2))],
    [50, bytesBlob(Buffer.alloc(10, 3))],
  ]);
  const expected = Buffer.concat([Buffer.alloc(20, 1), Buffer.alloc(30, 2), Buffer.alloc(10, 3), Buffer.alloc(40, 1)]);
  expect(await pumped(patchedBlob(broken, pieces))).toEqual(expected);
  await expect(pumped(patchedBlob(broken, new Map()))).rejects.toThrow("bad sector");
});

test.each([
  ["at any position", bytesBlob],
  ["as a stream", (part: Uint8Array) => partsBlob(part, 10_007)],
])(
  "all chunks of a joined blob but the last are full, wherever its parts end: parts that are read %s",
  async (_what, sourceOf) => {
    const whole = noise(2 * CHUNK_BYTES + 9);
    const ends = [13_824, 13_824, CHUNK_BYTES + 1, whole.length];
    const parts = ends.map((end, index) => whole.subarray(index === 0 ? 0 : ends[index - 1], end));
    const seen: [position: number, bytes: number][] = [];
    const into = Buffer.alloc(whole.length);
    await pumpBlob(joinedBlob(parts.map(part => ({ source: sourceOf(part) }))), async (chunk, position) => {
      seen.push([position, chunk.length]);
      into.set(chunk, position);
    });
    expect(seen).toEqual([
      [0, CHUNK_BYTES],
      [CHUNK_BYTES, CHUNK_BYTES],
      [2 * CHUNK_BYTES, 9],
    ]);
    expect(into.equals(whole)).toBe(true);
    expect(sharedChunks.lentChunks).toBe(0);
  },
);
