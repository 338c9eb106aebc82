import { closeSync, openSync } from "node:fs";
import { lstat, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import {
  createFile,
  discardFile,
  makeFolder,
  makeFolders,
  openEmptied,
  openForAppend,
  openForUpdate,
  removeFile,
  writeToDescriptor,
} from "../../../src/util/disk.ts";
import { type Operation, watchOperations } from "../../../src/util/operation-hook.ts";
import { temporaryFolder } from "../../support/images.ts";

afterEach(() => watchOperations(undefined));

const text = (value: string): Uint8Array => Buffer.from(value);

/** Has every write take one byte at most, and records what passes. */
function shortWrites(): Operation[] {
  const seen: Operation[] = [];
  watchOperations(async (operation, run) => {
    seen.push(operation);
    return await run(operation.bytes?.subarray(0, 1));
  });
  return seen;
}

describe("DiskFile", () => {
  test("DiskFile.write() writes all of it, however short the system's writes are", async () => {
    const path = join(await temporaryFolder(), "a");
    const seen = shortWrites();
    {
      await using file = await createFile(path, 0o600);
      await file.write(text("hello"), 3);
    }
    {
      await using file = await openForAppend(path, 0o600);
      await file.write(text("end"));
    }
    expect(await readFile(path, "latin1")).toBe("\0\0\0helloend");
    expect(seen.filter(({ kind }) => kind === "write").map(({ position }) => position)).toEqual([
      ...[3, 4, 5, 6, 7],
      ...[undefined, undefined, undefined],
    ]);
  });

  test.each([
    ["createFile", async (path: string) => await createFile(path, 0o600), "EEXIST"],
    ["openForAppend", async (path: string) => await openForAppend(path, 0o600), "ELOOP"],
    ["openForUpdate", async (path: string) => await openForUpdate(path), "ELOOP"],
  ])("F-01 %s() follows no link", async (_name, open, code) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "victim"), "precious");
    await symlink("victim", join(folder, "link"));
    await expect(open(join(folder, "link"))).rejects.toMatchObject({ errno: code });
    expect(await readFile(join(folder, "victim"), "utf8")).toBe("precious");
  });

  test("openEmptied() makes no file, and empties one that is there", async () => {
    const folder = await temporaryFolder();
    await expect(openEmptied(join(folder, "a"))).rejects.toMatchObject({ errno: "ENOENT" });
    await writeFile(join(folder, "a"), "old");
    await (await openEmptied(join(folder, "a"))).close();
    expect((await lstat(join(folder, "a"))).size).toBe(0);
  });
});

describe("writeToDescriptor()", () => {
  test("writeToDescriptor() goes on at the end, however short the system's writes are", async () => {
    const path = join(await temporaryFolder(), "a");
    await writeFile(path, "begun ");
    const descriptor = openSync(path, "a");
    const seen = shortWrites();
    await writeToDescriptor(descriptor, "stdout", text("done"));
    closeSync(descriptor);
    expect(await readFile(path, "utf8")).toBe("begun done");
    expect(seen.map(({ kind, target }) => `${kind} ${target}`)).toEqual(Array(4).fill("write stdout"));
  });

  test("writeToDescriptor() tells of a full device", async () => {
    const descriptor = openSync("/dev/full", "w");
    await expect(writeToDescriptor(descriptor, "stdout", text("x"))).rejects.toMatchObject({ errno: "ENOSPC" });
    closeSync(descriptor);
  });
});

describe("discardFile()", () => {
  test("discardFile() is content without a file, where removeFile() is not", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "a");
    await writeFile(path, "");
    await discardFile(path);
    await discardFile(path);
    await expect(removeFile(path)).rejects.toMatchObject({ errno: "ENOENT" });
    await makeFolder(path);
    await expect(discardFile(path)).rejects.toThrow();
    expect(await readdir(folder)).toEqual(["a"]);
  });
});

describe("makeFolders()", () => {
  test("makeFolders() returns the folders that it created, the highest first", async () => {
    const folder = await temporaryFolder();
    const [a, b] = [join(folder, "a"), join(folder, "a", "b")];
    expect(await makeFolders(b, 0o700)).toEqual([a, b]);
    expect((await stat(a)).mode & 0o777).toBe(0o700);
    expect(await makeFolders(b)).toEqual([]);
    await expect(makeFolder(a)).rejects.toMatchObject({ errno: "EEXIST" });
  });

  test("two processes that create the same folders at once both succeed", async () => {
    const folder = await temporaryFolder();
    await Promise.all(["b", "b", "c"].map(async name => await makeFolders(join(folder, "a", name))));
    expect((await readdir(join(folder, "a"))).toSorted()).toEqual(["b", "c"]);
  });

  test("below a file, or a link to nothing, makeFolders() says what is in the way", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    await symlink(join(folder, "nothing", "there"), join(folder, "link"));
    for (const path of [join("file"), join("file", "a", "b")]) {
      await expect(makeFolders(join(folder, path))).rejects.toThrow(": a file where a folder should be, expected");
    }
    await expect(makeFolders(join(folder, "link", "a"))).rejects.toThrow(": something has this name already, expected");
  });

  test.runIf(process.platform === "linux")("below /proc, makeFolders() fails instead of running for ever", async () => {
    await expect(makeFolders("/proc/imgpack/cache/uploads")).rejects.toThrow(
      'Cannot create folder "/proc/imgpack": no such file or folder, expected a writable folder above it',
    );
  });
});
