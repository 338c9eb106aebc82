import { execFileSync } from "node:child_process";
import { link, lstat, readdir, readFile, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { decodeRecords } from "../../../../src/archive/partial/journal-record.ts";
import { StorageError } from "../../../../src/errors.ts";
import { pullImage, referenceOf, testImage } from "../../../crash/pulling.ts";
import { leave } from "../../../crash/unfinished.ts";
import { temporaryFolder } from "../../../support/images.ts";

const MIB = 1024 * 1024;
const image = testImage([
  ["big", 2.5 * MIB],
  ["medium", 1.25 * MIB],
  ["small", 3000],
]);
const OTHER = "pull other:1";
let reference: Buffer;
beforeAll(async () => {
  reference = await referenceOf(image);
});

async function outputPath(): Promise<string> {
  return join(await temporaryFolder(), "out.tar");
}

/** Runs the same command to its end. @returns bytes fetched */
async function finish(path: string): Promise<number> {
  const fetched = await pullImage(image, path);
  expect((await readFile(path)).equals(reference)).toBe(true);
  expect(await readdir(join(path, ".."))).toEqual(["out.tar"]);
  return fetched;
}

describe("openPartialArchive() and files that it does not own", () => {
  test("refuses the file of another command without changing it, and that command can be resumed", async () => {
    const path = await outputPath();
    await leave(image, path);
    const [partial, journal] = [await readFile(`${path}.partial`), await readFile(`${path}.partial.journal`)];
    const refused = await pullImage(image, path, { command: OTHER }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StorageError);
    expect(refused).toMatchObject({
      exitCode: 9,
      message: expect.stringContaining("found the file of another command, expected nothing or a file of this command"),
    });
    expect((await readFile(`${path}.partial`)).equals(partial)).toBe(true);
    const after = await readFile(`${path}.partial.journal`);
    expect(after.subarray(0, journal.length).equals(journal)).toBe(true);
    // What came behind it is the claim, and that it is over.
    expect([...decodeRecords(after.subarray(journal.length))].map(({ type }) => type)).toEqual(["claim", "release"]);
    expect(await finish(path)).toBeLessThan(MIB);
  });

  test("starts over if the journal is gone, but never with the file of another command", async () => {
    const path = await outputPath();
    await leave(image, path);
    await unlink(`${path}.partial.journal`);
    const before = await readFile(`${path}.partial`);
    await expect(pullImage(image, path, { command: OTHER })).rejects.toThrow("found the file of another command");
    expect((await readFile(`${path}.partial`)).equals(before)).toBe(true);
    expect(await readdir(join(path, ".."))).toEqual(["out.tar.partial"]);
    expect(await finish(path)).toBe(image.bytes);
  });

  test.each<[string, (path: string) => Promise<unknown>]>([
    ["a text", async path => await writeFile(path, "my only copy")],
    ["a symbolic link to nothing", async path => await symlink("nothing", path)],
    ["a symbolic link to a file", async path => await symlinked(path)],
    ["a hard link to a file", async path => await linked(path)],
    ["a pipe", async path => execFileSync("mkfifo", [path])],
  ])("F-01 refuses %s under the partial file's name and touches nothing", async (_name, make) => {
    const path = await outputPath();
    await make(`${path}.partial`);
    const before = await lstat(`${path}.partial`);
    const refused = await pullImage(image, path).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StorageError);
    expect(refused).toMatchObject({ exitCode: 9 });
    const after = await lstat(`${path}.partial`);
    expect([after.ino, after.size, after.mtimeMs, after.mode]).toEqual([
      before.ino,
      before.size,
      before.mtimeMs,
      before.mode,
    ]);
    expect((await readdir(join(path, ".."))).filter(name => name !== "precious")).toEqual(["out.tar.partial"]);
    const precious = await readFile(join(path, "..", "precious"), "utf8").catch(() => "precious");
    expect(precious).toBe("precious");
  });

  test("refuses a second run on the same output while the first one runs, which then ends well", async () => {
    const path = await outputPath();
    const [first, second] = await Promise.allSettled([pullImage(image, path), pullImage(image, path)]);
    const failed = [first, second].filter(({ status }) => status === "rejected");
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({
      reason: { message: expect.stringContaining(`process ${process.pid} is writing it`) },
    });
    expect((await readFile(path)).equals(reference)).toBe(true);
    expect(await readdir(join(path, ".."))).toEqual(["out.tar"]);
  });
});

async function symlinked(path: string): Promise<void> {
  await writeFile(join(path, "..", "precious"), "precious");
  await symlink("precious", path);
}

async function linked(path: string): Promise<void> {
  await writeFile(join(path, "..", "precious"), "precious");
  await link(join(path, "..", "precious"), path);
}
