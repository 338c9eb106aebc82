import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { digestOf } from "../../../../src/oci/digest.ts";
import { CheckedBlobs } from "../../../../src/serve/content/checked-blobs.ts";
import type { CheckedSource } from "../../../../src/serve/content/checked-source.ts";
import { deferred } from "../../../../src/util/promises.ts";

const SIZES = { pieceBytes: 8, chunkBytes: 4, stepBytes: 4 };
const right = Buffer.from("piece 1;piece 2;piece 3;end");

interface Watched {
  readonly source: CheckedSource;
  /** Positions that were read, in order. */
  readonly filled: number[];
  readonly confirmed: () => number;
  /** Resolves once the second piece is read to its end. */
  readonly ahead: Promise<void>;
}

function watched(bytes: Uint8Array): Watched {
  const filled: number[] = [];
  const ahead = deferred<void>();
  let confirmed = 0;
  const source: CheckedSource = {
    digest: digestOf(right),
    size: right.length,
    identity: "",
    async fill(into, position) {
      filled.push(position);
      into.set(bytes.subarray(position, position + into.length));
      if (position === 12) ahead.resolve();
    },
    async confirm() {
      confirmed += 1;
    },
    pieceHash: piece =>
      createHash("sha256")
        .update(right.subarray(8 * piece, 8 * piece + 8))
        .digest("hex"),
    onDamage: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  return { source, filled, confirmed: () => confirmed, ahead: ahead.promise };
}

test("the next piece is hashed while the first one is sent, and no further", async () => {
  const { source, filled, ahead } = watched(right);
  const chunks = new CheckedBlobs(SIZES).open(source).chunks({ start: 0, end: right.length });
  expect(Buffer.from((await chunks.next()).value ?? []).toString()).toBe("piec");
  await ahead;
  await chunks.return();
  expect([...new Set(filled)].sort((left, right) => left - right)).toEqual([0, 4, 8, 12]);
});

test("files are looked at once for each piece", async () => {
  const { source, confirmed } = watched(right);
  const parts: Buffer[] = [];
  for await (const chunk of new CheckedBlobs(SIZES).open(source).chunks({ start: 0, end: right.length }))
    parts.push(Buffer.from(chunk));
  expect(Buffer.concat(parts)).toEqual(right);
  expect(confirmed()).toBe(4);
});

test("damage further on, found ahead, does not cut what has passed", async () => {
  const wrong = Buffer.from(right);
  wrong[9] = 0;
  const { source, ahead } = watched(wrong);
  const chunks = new CheckedBlobs(SIZES).open(source).chunks({ start: 0, end: right.length });
  const first = Buffer.from((await chunks.next()).value ?? []);
  await ahead;
  const second = Buffer.from((await chunks.next()).value ?? []);
  expect(Buffer.concat([first, second]).toString()).toBe("piece 1;");
  await expect(chunks.next()).rejects.toThrow("is damaged");
});

test("the buffers of a transfer that breaks are used again once its blob is closed, and not before", async () => {
  const blobs = new CheckedBlobs(SIZES);
  const broken = blobs.open(watched(right).source);
  const all = { start: 0, end: right.length };
  const memoryOf = async (chunks: AsyncGenerator<Uint8Array, void>): Promise<readonly unknown[]> =>
    [await chunks.next(), await chunks.next()].map(({ value }) => value?.buffer);
  const first = broken.chunks(all);
  const memory = await memoryOf(first);
  await first.return();
  const isUsed = async (): Promise<boolean> => {
    const found: unknown[] = [];
    for (let turn = 0; turn < 8; turn += 1)
      found.push(...(await memoryOf(blobs.open(watched(right).source).chunks(all))));
    return memory.every(one => found.includes(one));
  };
  expect(await isUsed()).toBe(false);
  await broken.close();
  expect(await isUsed()).toBe(true);
});
