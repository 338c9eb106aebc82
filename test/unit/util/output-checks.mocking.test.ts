import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { StorageError } from "../../../src/errors.ts";
import { checkSpace, storageFault } from "../../../src/util/output-checks.ts";
import { storageState } from "../../../src/util/system-fault.ts";

const statfs = vi.hoisted(() => vi.fn<(path: string) => Promise<object>>());
vi.mock("node:fs/promises", async original => {
  const fs = await original<typeof import("node:fs/promises")>();
  return { ...fs, statfs };
});

const FAT = 0x4d44;
const EXT4 = 0xef53;
const GIB = 2 ** 30;
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "imgpack-place-"));
});

afterEach(async () => {
  statfs.mockReset();
  await rm(folder, { recursive: true });
});

/** @param free in bytes. */
function disk(free: number, type: number): void {
  statfs.mockResolvedValue({ bavail: free / 512, bsize: 512, blocks: 1e9, type });
}

const refusal = async (...sizes: readonly number[]): Promise<unknown> => {
  const [bytes = 0, held, largest] = sizes;
  return await checkSpace(join(folder, "out.tar"), bytes, held, largest).then(
    () => undefined,
    error => error,
  );
};

describe("checkSpace()", () => {
  test.each([
    ["takes on FAT what has a size of 32 bits", FAT, [4 * GIB - 1], undefined],
    [
      "refuses on FAT one byte more",
      FAT,
      [4 * GIB],
      "its file system (FAT) is limited to files smaller than 4.0 GiB, expected room for 4.0 GiB",
    ],
    [
      "refuses on FAT what is much larger, whatever is there of it",
      FAT,
      [60 * GIB, 59 * GIB],
      "its file system (FAT) is limited to files smaller than 4.0 GiB, expected room for 60.0 GiB",
    ],
    ["takes on FAT a folder of many files", FAT, [60 * GIB, 0, 2 * GIB], undefined],
    [
      "refuses on FAT a folder with one file that is too large",
      FAT,
      [60 * GIB, 0, 5 * GIB],
      "its file system (FAT) is limited to files smaller than 4.0 GiB, expected room for 5.0 GiB",
    ],
    ["takes elsewhere a file of any size", EXT4, [60 * GIB], undefined],
    ["takes what fits exactly", EXT4, [100 * GIB], undefined],
    ["refuses one byte more", EXT4, [100 * GIB + 1], "100 GiB free, expected 100 GiB"],
    ["counts what is there already", EXT4, [150 * GIB, 50 * GIB], undefined],
    ["refuses what is too much beside it", EXT4, [160 * GIB, 50 * GIB], "100 GiB free, expected 110 GiB"],
  ])("checkSpace() %s", async (_what, type, sizes, found) => {
    disk(100 * GIB, type);
    const error = await refusal(...sizes);
    if (found === undefined) return expect(error).toBeUndefined();
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({
      exitCode: 9,
      message: `Cannot write "${join(folder, "out.tar")}": ${found}`,
      hint: expect.any(String),
    });
    expect(statfs).toHaveBeenCalledWith(folder);
  });

  test("checkSpace() asks nothing of a file system that tells no size", async () => {
    statfs.mockResolvedValue({ bavail: 0, bsize: 4096, blocks: 0, type: 0x65735546 });
    expect(await refusal(60 * GIB)).toBeUndefined();
  });
});

describe("storageFault()", () => {
  const coded = (code: string): Error => Object.assign(new Error(code), { code });

  test.each([
    ["ENOSPC", "no space left, expected room for 5.0 MiB"],
    ["EDQUOT", "quota used up, expected room for 5.0 MiB"],
    ["EFBIG", "file too large for this file system or for the limit of this process, expected room for 5.0 MiB"],
    ["EIO", "input or output error, expected a working disk"],
    ["ESTALE", "the network file system lost the file, expected a working disk"],
    ["EXYZ", "error EXYZ of the system, expected a writable folder"],
    ["EROFS", "read-only file system, expected a writable folder"],
    ["EXDEV", "another disk, expected a writable folder"],
  ])("storageFault() says %s in words, and what to do", (code, found) => {
    const cause = coded(code);
    expect(storageFault("/media/usb/out.tar", 5 * 2 ** 20, cause)).toMatchObject({
      exitCode: 9,
      message: `Cannot write "/media/usb/out.tar": ${found}`,
      hint: expect.any(String),
      cause,
    });
    expect(found.startsWith(storageState(cause))).toBe(true);
  });

  test("storageFault() leaves alone what is in words already", () => {
    const error = new StorageError("Cannot write");
    expect(storageFault("x", 1, error)).toBe(error);
  });
});
