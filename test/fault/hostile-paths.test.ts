// Paths that the system refuses are reported as storage (exit code 9), never as a bug of imgpack.
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeFolder } from "../../src/util/disk.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";

ownEnvironment();

/** A file, a loop of links, a file in place of a folder, a name that is too long, and one with a NUL. */
async function hostilePaths(): Promise<readonly string[]> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "file"), "x");
  await symlink("loop", join(folder, "loop"));
  await mkdir(join(folder, "linked"));
  await symlink(join(folder, "loop"), join(folder, "linked", "oci-layout"));
  const names = ["file", "loop", "file/below", "n".repeat(300), "nul\0name", "linked", "gone/below"];
  return [...names.map(name => join(folder, name)), "/proc/1", "/proc/self/mem"];
}

describe("a path that the system refuses", () => {
  test("is never called a bug of imgpack", async () => {
    const commands = (path: string): readonly (readonly string[])[] => [
      ["inspect", path],
      ["verify", path],
      ["doctor", path],
      ["push", path, "--registry", "127.0.0.1:1", "--dry-run"],
      ["convert", path, join(path, "out.tar")],
      ["import", path, "-t", "a", "-o", join(path, "out.tar"), "--dry-run"],
    ];
    for (const path of await hostilePaths()) {
      for (const words of commands(path)) {
        const { exitCode, stderr } = await runCommand(...words);
        expect([words, exitCode, stderr], stderr).toEqual([
          words,
          expect.any(Number),
          expect.not.stringContaining("bug"),
        ]);
        expect([2, 3, 5, 7, 9], `${words.join(" ")}: ${stderr}`).toContain(exitCode);
      }
    }
  });
});

test("makeFolder() ends where the system does not let a folder be made, and makes those above", async () => {
  await expect(makeFolder("/proc/imgpack/cache", { recursive: true })).rejects.toMatchObject({ code: "ENOENT" });
  const folder = await temporaryFolder();
  const path = join(folder, "a", "b", "c");
  expect(await makeFolder(path, { recursive: true, mode: 0o700 })).toBe(join(folder, "a"));
  expect(await makeFolder(path, { recursive: true, mode: 0o700 })).toBeUndefined();
  await writeFile(join(folder, "file"), "x");
  await expect(makeFolder(join(folder, "file"), { recursive: true })).rejects.toMatchObject({ code: "EEXIST" });
  await expect(makeFolder(join(folder, "file", "x"), { recursive: true })).rejects.toMatchObject({ code: "ENOTDIR" });
});
