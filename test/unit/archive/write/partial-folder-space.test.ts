import { spawnSync } from "node:child_process";
import { chmod, cp, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StorageError } from "../../../../src/errors.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { breakOff, scene, write } from "./partial-folder-scene.ts";

const isRoot = process.getuid?.() === 0;

describe("PartialFolder on a small disk", () => {
  let folder = "";
  let isMounted = false;

  beforeEach(async () => {
    folder = await temporaryFolder();
    isMounted = isRoot && spawnSync("mount", ["-t", "tmpfs", "-o", "size=800k", "tmpfs", folder]).status === 0;
  });

  afterEach(() => {
    if (isMounted) spawnSync("umount", [folder]);
  });

  test("PartialFolder counts kept blobs as free space, and keeps them if there is too little", async ({ skip }) => {
    skip(!isMounted, "needs the right to mount a small file system");
    const at = await scene();
    const small = { ...at, above: folder, out: join(folder, "out"), partial: join(folder, "out.partial") };
    await expect(write(small)).rejects.toThrow(/7\d\d KiB free, expected 881 KiB/);
    expect(await readdir(folder)).toEqual([]);
    await breakOff(at);
    await cp(at.partial, small.partial, { recursive: true });
    await chmod(small.partial, 0o700);
    await writeFile(join(folder, "ballast"), new Uint8Array(100 * 1024));
    const error = await write(small).catch(fault => fault);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ message: expect.stringMatching(/[0-9.]+ KiB free, expected 295 KiB$/) });
    expect(await readdir(join(small.partial, "blobs", "sha256"))).toEqual(expect.arrayContaining(at.layers.slice(1)));
  });
});
