import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmod, link, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { StorageError } from "../../../src/errors.ts";
import { PartialFile } from "../../../src/util/partial-file.ts";

const statfs = vi.hoisted(() => vi.fn<(path: string) => Promise<object>>());
vi.mock("node:fs/promises", async original => {
  const fs = await original<typeof import("node:fs/promises")>();
  statfs.mockImplementation(async path => await fs.statfs(path));
  return { ...fs, statfs };
});

const isRoot = process.getuid?.() === 0;
let folder = "";
let path = "";
let partial = "";

beforeEach(async () => {
  folder = join(tmpdir(), `imgpack-partial-${randomUUID()}`);
  await mkdir(folder);
  path = join(folder, "out.tar");
  partial = `${path}.partial`;
});

afterEach(async () => {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true });
});

const run = (program: string, ...args: readonly string[]): boolean => spawnSync(program, args).status === 0;
const text = (value: string): Uint8Array => Buffer.from(value);
const createFails = async (bytes = 5): Promise<unknown> =>
  await PartialFile.create(path, bytes).then(
    () => expect.fail("created"),
    error => error,
  );

describe("PartialFile", () => {
  test("has nothing under its name before publish, and the whole file after it", async () => {
    await using file = await PartialFile.create(path, 10);
    await file.write(text("world"), 5);
    await file.flush();
    await file.write(text("hello"), 0);
    expect(await readdir(folder)).toEqual(["out.tar.partial"]);
    await file.publish();
    expect(await readdir(folder)).toEqual(["out.tar"]);
    expect(await readFile(path, "utf8")).toBe("helloworld");
  });

  test("is whole in length even where nothing was written", async () => {
    await using file = await PartialFile.create(path, 4096);
    await file.publish();
    expect((await readFile(path)).equals(new Uint8Array(4096))).toBe(true);
  });

  test("keeps the file of that name until publish replaces it", async () => {
    await writeFile(path, "old");
    await using file = await PartialFile.create(path, 3);
    await file.write(text("new"), 0);
    expect(await readFile(path, "utf8")).toBe("old");
    await file.publish();
    expect(await readFile(path, "utf8")).toBe("new");
  });

  test("leaves nothing behind without publish, and the old file as it was", async () => {
    await writeFile(path, "old");
    {
      await using file = await PartialFile.create(path, 5);
      await file.write(text("12345"), 0);
    }
    expect(await readdir(folder)).toEqual(["out.tar"]);
    expect(await readFile(path, "utf8")).toBe("old");
  });

  test("replaces what a killed run left", async () => {
    await writeFile(partial, "left over, and longer imgpack: unfinished file\n");
    await using file = await PartialFile.create(path, 3);
    await file.write(text("new"), 0);
    await file.publish();
    expect(await readFile(path, "utf8")).toBe("new");
  });

  const targets: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["a folder", async () => await mkdir(path)],
    ["a symbolic link", async () => await symlink("elsewhere", path)],
    ["a pipe or device", async () => run("mkfifo", path)],
  ];
  test.each(targets)("refuses %s under its name, and does not touch it (F-01)", async (found, make) => {
    await make();
    const error = await createFails();
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({
      exitCode: 9,
      message: `Cannot write "${path}": found ${found}, expected a file or nothing`,
    });
    expect(await readdir(folder)).toEqual(["out.tar"]);
  });

  const partials: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["symbolic link to nothing", async () => await symlink(join(folder, "victim"), partial)],
    ["folder", async () => await mkdir(partial)],
    ["pipe", async () => run("mkfifo", partial)],
    [
      "file with another name",
      async () => {
        await writeFile(join(folder, "other"), "precious");
        await link(join(folder, "other"), partial);
      },
    ],
  ];
  test.each(partials)("refuses a %s under the partial name, and does not touch it (F-01)", async (_what, make) => {
    await make();
    const before = await readdir(folder);
    expect(await createFails()).toMatchObject({
      exitCode: 9,
      message: `Cannot write "${partial}": found a file that imgpack did not write, expected none`,
    });
    expect(await readdir(folder)).toEqual(before);
  });

  test("notices that a second run has taken over, and leaves the second run's file alone (F-02)", async () => {
    await using first = await PartialFile.create(path, 3);
    await first.write(text("one"), 0);
    await using second = await PartialFile.create(path, 3);
    await second.write(text("two"), 0);
    await expect(first.publish()).rejects.toThrow("was replaced meanwhile");
    await first[Symbol.asyncDispose]();
    await second.publish();
    expect(await readFile(path, "utf8")).toBe("two");
  });

  test("notices that the second run has finished already (F-02)", async () => {
    await using first = await PartialFile.create(path, 3);
    {
      await using second = await PartialFile.create(path, 3);
      await second.write(text("two"), 0);
      await second.publish();
    }
    await expect(first.publish()).rejects.toThrow("was replaced meanwhile");
    expect(await readFile(path, "utf8")).toBe("two");
  });

  test("notices that somebody cut its file", async () => {
    await using file = await PartialFile.create(path, 100);
    await truncate(partial, 50);
    await expect(file.publish()).rejects.toThrow(StorageError);
    expect(await readdir(folder)).toEqual(["out.tar.partial"]);
  });

  test("tells how much is free and how much is wanted before the first byte, and leaves nothing", async () => {
    statfs.mockResolvedValueOnce({ bavail: 300, bsize: 4096, blocks: 1000 });
    const error = await createFails(2 * 1024 * 1024);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({
      exitCode: 9,
      message: `Cannot write "${path}": 1.2 MiB free, expected 2.0 MiB`,
      hint: "Free some space, or write to another disk.",
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test("fits into exactly the space that is free", async () => {
    statfs.mockResolvedValueOnce({ bavail: 2, bsize: 512, blocks: 10 });
    await using file = await PartialFile.create(path, 1024);
    await file.publish();
    expect((await stat(path)).size).toBe(1024);
  });

  test("counts the space of what a killed run left as free", async () => {
    await writeFile(partial, "left over imgpack: unfinished file\n");
    statfs.mockImplementationOnce(async () => {
      const left = await readFile(partial);
      return { bavail: left.length === 0 ? 1 : 0, bsize: 4096, blocks: 10 };
    });
    await using file = await PartialFile.create(path, 100);
    await file.publish();
  });

  test("does not ask for space where the file system tells none", async () => {
    statfs.mockResolvedValueOnce({ bavail: 0, bsize: 4096, blocks: 0 });
    await using file = await PartialFile.create(path, 100);
    await file.publish();
  });

  test("names a missing folder", async () => {
    path = join(folder, "nowhere", "out.tar");
    expect(await createFails()).toMatchObject({
      exitCode: 9,
      message: `Cannot write "${path}": no such folder, expected a writable folder`,
    });
  });

  test("says that it may not write where it may not", async () => {
    await chmod(folder, 0o500);
    // Root may write anywhere: be somebody else for a moment.
    if (isRoot) process.seteuid?.(65534);
    const error = await createFails().finally(() => {
      if (isRoot) process.seteuid?.(0);
    });
    expect(error).toMatchObject({
      exitCode: 9,
      message: `Cannot write "${path}": permission denied, expected a writable folder`,
    });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("PartialFile on a disk that fills up", () => {
  let isMounted = false;

  beforeEach(() => {
    isMounted = isRoot && run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder);
  });

  afterEach(() => {
    if (isMounted) run("umount", folder);
  });

  test("says so, publishes nothing afterwards, and leaves nothing", async ({ skip }) => {
    skip(!isMounted, "needs the right to mount a small file system");
    {
      await using file = await PartialFile.create(path, 700 * 1024);
      await writeFile(join(folder, "other"), new Uint8Array(600 * 1024));
      const full = file.write(new Uint8Array(700 * 1024).fill(1), 0);
      await expect(full).rejects.toThrow(`Cannot write "${path}": no space left, expected room for 700 KiB`);
      await expect(full).rejects.toMatchObject({ exitCode: 9 });
      await expect(file.publish()).rejects.toThrow("an earlier write failed");
    }
    expect(await readdir(folder)).toEqual(["other"]);
  });

  test("tells the real numbers", async ({ skip }) => {
    skip(!isMounted, "needs the right to mount a small file system");
    expect(await createFails(2 * 1024 * 1024)).toMatchObject({
      message: `Cannot write "${path}": 1.0 MiB free, expected 2.0 MiB`,
    });
    expect(await readdir(folder)).toEqual([]);
  });
});
