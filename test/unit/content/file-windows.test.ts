import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileSliceBlob } from "../../../src/content/blob.ts";
import { FileWindows } from "../../../src/content/file-windows.ts";
import { readBlob } from "../../../src/content/pump.ts";
import { StorageError } from "../../../src/errors.ts";
import { seededBytes, temporaryFolder } from "../../support/images.ts";

const KIB = 1024;

test("FileWindows reads many small pieces of a file with few requests, and leaves larger ones to others", async () => {
  const bytes = seededBytes("windows", 1000 * KIB);
  const path = join(await temporaryFolder(), "file");
  await writeFile(path, bytes);
  await using handle = await open(path);
  let reads = 0;
  const counted = {
    read: async (...args: Parameters<typeof handle.read>) => {
      reads += 1;
      return await handle.read(...args);
    },
  } as unknown as typeof handle;
  const windows = new FileWindows(counted);
  for (let offset = 0; offset < 990 * KIB; offset += 1000) {
    expect(await windows.read(offset, 900)).toEqual(bytes.subarray(offset, offset + 900));
  }
  // Four windows; the last one ends with the file, which takes a request to see.
  expect(reads).toBeLessThanOrEqual(5);
  expect(await windows.read(256 * KIB - 10, 20)).toEqual(bytes.subarray(256 * KIB - 10, 256 * KIB + 10));
  expect(await windows.read(0, 600 * KIB)).toBeUndefined();
  expect(await windows.read(0, 0)).toBeUndefined();
  const large = fileSliceBlob(handle, 0, 600 * KIB, path, windows);
  expect(await readBlob(large, 600 * KIB)).toEqual(bytes.subarray(0, 600 * KIB));
  const beyond = fileSliceBlob(handle, 999 * KIB, 2 * KIB, path, windows);
  await expect(readBlob(beyond, 2 * KIB)).rejects.toThrow(StorageError);
});
