import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bytesBlob, fileSliceBlob } from "../../../src/content/blob.ts";
import { blobChunks } from "../../../src/content/blob-chunks.ts";
import { CHUNK_BYTES, sharedChunks } from "../../../src/content/chunks/chunks.ts";
import { StorageError } from "../../../src/errors.ts";
import { collect, noise } from "../../support/memory-blobs.ts";

const bytes = noise(3 * CHUNK_BYTES + 100);
let path = "";
let file: FileHandle;

beforeEach(async () => {
  path = join(tmpdir(), `imgpack-slice-${randomUUID()}`);
  await writeFile(path, bytes);
  file = await open(path);
});

afterEach(async () => {
  await file.close();
  await rm(path);
  expect(sharedChunks.lentChunks).toBe(0);
});

describe("fileSliceBlob()", () => {
  test.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES + 50])(
    "gives its %i bytes and none of its neighbours', pumped and opened",
    async size => {
      const blob = fileSliceBlob(file, 50, size, path);
      const wanted = Buffer.from(bytes.subarray(50, 50 + size));
      expect(wanted.equals(await collect(blobChunks(blob)))).toBe(true);
      expect(wanted.equals(await collect((await blob.open()) as AsyncIterable<Uint8Array>))).toBe(true);
    },
  );

  test("opens a range, its end excluded", async () => {
    const blob = fileSliceBlob(file, 10, 1000, path);
    const range = await collect((await blob.open({ start: 5, end: 25 })) as AsyncIterable<Uint8Array>);
    expect(Buffer.from(bytes.subarray(15, 35)).equals(range)).toBe(true);
  });

  test("reads several at once from one handle", async () => {
    const blobs = [0, 1000, 2000].map(offset => fileSliceBlob(file, offset, 2 * CHUNK_BYTES, path));
    const all = await Promise.all(blobs.map(async blob => await collect(blobChunks(blob))));
    expect(all.map(found => found[0])).toEqual([bytes[0], bytes[1000], bytes[2000]]);
    expect(all.map(found => found.length)).toEqual([2 * CHUNK_BYTES, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES]);
  });

  test("says where a file cannot be read", async () => {
    // Open for writing only.
    const writable = await open(path, "a");
    const failed = collect(blobChunks(fileSliceBlob(writable, 50, 100, path)));
    await expect(failed).rejects.toThrow(StorageError);
    await expect(failed).rejects.toThrow("error EBADF of the system at byte 50, expected 100 bytes");
    await writable.close();
  });

  test("says where a file ends that became shorter", async () => {
    const blob = fileSliceBlob(file, CHUNK_BYTES, 3 * CHUNK_BYTES, path);
    const failed = collect(blobChunks(blob));
    await expect(failed).rejects.toThrow(StorageError);
    await expect(failed).rejects.toThrow(`file ends at byte ${bytes.length}, expected at least ${4 * CHUNK_BYTES}`);
  });

  test("ends at once when its reader leaves while the next read is under way", async () => {
    for await (const chunk of blobChunks(fileSliceBlob(file, 0, bytes.length, path))) {
      expect(chunk).toHaveLength(CHUNK_BYTES);
      break;
    }
  });
});

describe("bytesBlob()", () => {
  test("opens a range, its end excluded", async () => {
    const blob = bytesBlob(new Uint8Array([1, 2, 3, 4]));
    const found = await collect((await blob.open({ start: 1, end: 3 })) as AsyncIterable<Uint8Array>);
    expect([...found]).toEqual([2, 3]);
  });
});
