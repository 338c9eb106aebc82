import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { renderError } from "../../src/cli/output/render-error.ts";
import { convert, ImgpackError, inspectArchive, serve, verify } from "../../src/index.ts";
import { ownEnvironment, runCommand } from "../support/command-line.ts";
import { temporaryFolder } from "../support/images.ts";

ownEnvironment();

const ARCHIVE = fileURLToPath(new URL("../../fixtures/docker20-hello.tar", import.meta.url));

/** Paths that the system refuses, each for another reason. */
async function hostilePaths(): Promise<readonly string[]> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "file"), "");
  await symlink("loop", join(folder, "loop"));
  return [
    join(folder, "file", "below"),
    join(folder, "file", "nothing", "here"),
    join(folder, "n".repeat(300)),
    join(folder, "loop"),
    join(folder, "loop", "below"),
    ...(process.platform === "linux" ? ["/proc/1", "/proc/imgpack/x", "/proc/self/mem"] : []),
  ];
}

describe("a path that the system refuses is a storage error in words, never a bug", () => {
  test.each<[string, (path: string) => readonly string[]]>([
    ["inspect", path => ["inspect", path]],
    ["verify", path => ["verify", path]],
    ["doctor", path => ["doctor", path]],
    ["push", path => ["push", path, "--registry", "127.0.0.1:1"]],
    ["convert from", path => ["convert", path, "/dev/null/out.tar"]],
    ["convert to", path => ["convert", ARCHIVE, `${path}/out.tar`]],
    ["convert to folder", path => ["convert", ARCHIVE, `${path}/`]],
    ["import", path => ["import", path, "-t", "app:1", "-o", "/dev/null/out.tar"]],
    ["serve", path => ["serve", "--store", join(path, "store")]],
  ])("%s", async (_name, words) => {
    for (const path of await hostilePaths()) {
      const { exitCode, stderr } = await runCommand(...words(path));
      const lines = stderr.split("\n").filter(line => line.startsWith("Cannot "));
      expect({ path, exitCode, stderr }).toMatchObject({ exitCode: 9 });
      expect(lines.at(-1)).toMatch(/^Cannot .*: .*, expected /);
      expect(stderr).not.toMatch(/\bE[A-Z]{3,}\b|bug in imgpack/);
    }
  });

  test("a NUL character in a path is explained, too", async () => {
    for (const call of [
      inspectArchive("/tmp/a\0.tar"),
      verify("/tmp/a\0.tar"),
      serve({ store: "/tmp/a\0" }),
      convert(ARCHIVE, { output: "/tmp/a\0.tar" }),
    ]) {
      const error: unknown = await call.then(
        () => undefined,
        reason => reason,
      );
      expect(error).toBeInstanceOf(ImgpackError);
      expect(error).toMatchObject({ message: expect.stringMatching(/NUL|\\u\{0\}/) });
    }
  });
});

describe("renderError()", () => {
  test.each([
    ["EMFILE", "this process has too many open files"],
    ["ENOSPC", "no space left"],
    ["EACCES", "permission denied"],
  ])("an error of the system that no message names, such as %s, is no bug of imgpack", (code, found) => {
    const error = Object.assign(new Error(code), { code, syscall: "open", path: "/tmp/x" });
    const written: string[] = [];
    const stream = { write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream;
    const streams = { stdout: stream, stderr: stream };
    expect(renderError(error, streams, { isJson: false, isVerbose: false })).toBe(9);
    expect(written.join("")).toContain(`Cannot read "/tmp/x": ${found}, expected a readable file or folder\n`);
  });
});
