import { execFileSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { IntegrityError, StorageError, UsageError } from "../../../../src/errors.ts";
import { digestHex, digestOf } from "../../../../src/oci/digest.ts";
import { ToolFiles } from "../../../../src/verbs/files/tool-files.ts";
import { TOOL_TARGETS } from "../../../../src/verbs/options/choices.ts";
import { runCommand } from "../../../support/command-line.ts";
import { temporaryFolder } from "../../../support/images.ts";

/** What builds them; a program of Node, so not typed here. */
const BUILT_TARGETS = new URL("../../../../scripts/executable/targets.mjs", import.meta.url).href;
const NAMES = ["imgpack-licenses.txt", "imgpack-linux-arm64", "imgpack-windows-x64.exe"];

let from: string;
let medium: string;

beforeEach(async () => {
  const folder = await temporaryFolder();
  [from, medium] = [join(folder, "tools"), join(folder, "medium")];
  await mkdir(medium);
  await mkdir(from);
  await release("1");
});

/** Puts a version of the executables into the source. */
async function release(version: string): Promise<void> {
  const texts = NAMES.map(name => `${name} ${version}\n`);
  const sums = texts.map((text, index) => `${digestHex(digestOf(Buffer.from(text)))}  ${NAMES[index]}\n`);
  await Promise.all(texts.map(async (text, index) => await writeFile(join(from, NAMES[index] ?? ""), text)));
  await writeFile(join(from, "SHA256SUMS"), sums.join(""));
}

async function carry(...targets: readonly string[]): Promise<void> {
  const tools = await ToolFiles.find(targets, from, join(medium, "app.tar"), undefined);
  await tools.copy(undefined);
}

async function refusal(...targets: readonly string[]): Promise<Error> {
  return await carry(...targets).then(
    () => new Error("nothing is refused"),
    error => error,
  );
}

const onMedium = async (name: string): Promise<string> => await readFile(join(medium, name), "utf8");

describe("executables next to an archive", () => {
  test("are there with their licences, can be started, and sha256sum accepts them", async () => {
    await carry("linux-arm64", "windows-x64", "linux-arm64");
    expect((await readdir(medium)).sort()).toEqual(["SHA256SUMS", ...NAMES]);
    for (const name of NAMES) expect(await onMedium(name)).toBe(`${name} 1\n`);
    const modes = await Promise.all(NAMES.map(async name => (await stat(join(medium, name))).mode & 0o777));
    expect(modes).toEqual([0o644, 0o755, 0o755].map(mode => mode & ~process.umask()));
    const checked = execFileSync("sha256sum", ["--check", "--strict", "SHA256SUMS"], { cwd: medium, encoding: "utf8" });
    expect(checked).toBe(NAMES.map(name => `${name}: OK\n`).join(""));
  });

  test("stay when they are there already, and others join them in the list", async () => {
    await carry("linux-arm64");
    const path = join(medium, "imgpack-linux-arm64");
    const { ino } = await stat(path);
    await carry("linux-arm64", "windows-x64");
    expect((await stat(path)).ino).toBe(ino);
    expect((await onMedium("SHA256SUMS")).match(/\S+$/gm)).toEqual(NAMES);
  });

  test("of two runs at once are all in the list", async () => {
    const [one, other] = await Promise.all(
      ["linux-arm64", "windows-x64"].map(
        async target => await ToolFiles.find([target], from, join(medium, "app.tar"), undefined),
      ),
    );
    await one?.copy(undefined);
    await other?.copy(undefined);
    expect((await onMedium("SHA256SUMS")).match(/\S+$/gm)).toEqual(NAMES);
  });

  test.each(["imgpack-linux-arm64", "imgpack-licenses.txt", "SHA256SUMS"])(
    "give no archive the name %s",
    async name => {
      const found = ToolFiles.find(["linux-arm64"], from, join(medium, name), undefined);
      await expect(found).rejects.toBeInstanceOf(UsageError);
      expect(await readdir(medium)).toEqual([]);
    },
  );

  test("are not listed through a symbolic link", async () => {
    await writeFile(join(from, "victim"), "");
    await symlink(join(from, "victim"), join(medium, "SHA256SUMS"));
    expect(await refusal("linux-arm64")).toMatchObject({ exitCode: 9 });
    expect(await readFile(join(from, "victim"), "utf8")).toBe("");
    expect(await readdir(medium)).toEqual(["SHA256SUMS"]);
  });

  test("of another version replace those that imgpack wrote", async () => {
    await carry("linux-arm64");
    await release("2");
    await carry("linux-arm64");
    expect(await onMedium("imgpack-linux-arm64")).toBe("imgpack-linux-arm64 2\n");
  });

  test("never replace another file, or one that was changed since", async () => {
    await writeFile(join(medium, "imgpack-linux-arm64"), "mine");
    const error = await refusal("linux-arm64");
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toContain("found another file that imgpack did not write");
    expect(await readdir(medium)).toEqual(["imgpack-linux-arm64"]);
    await carry("windows-x64");
    await writeFile(join(medium, "imgpack-windows-x64.exe"), "changed");
    await release("2");
    expect((await refusal("windows-x64")).message).toContain("did not write");
    expect(await onMedium("imgpack-windows-x64.exe")).toBe("changed");
  });

  test("never replace a SHA256SUMS for other files", async () => {
    const text = `${"0".repeat(64)}  app.tar\n`;
    await writeFile(join(medium, "SHA256SUMS"), text);
    expect((await refusal("linux-arm64")).message).toContain('found a list with "app.tar"');
    await writeFile(join(medium, "SHA256SUMS"), "notes\n");
    expect((await refusal("linux-arm64")).message).toContain("expected those that sha256sum prints");
    expect(await readdir(medium)).toEqual(["SHA256SUMS"]);
  });

  test("are refused when they do not have their sum, and leave nothing", async () => {
    await writeFile(join(from, "imgpack-linux-arm64"), "imgpack-linux-arm64 X\n");
    expect(await refusal("linux-arm64")).toBeInstanceOf(IntegrityError);
    expect(await readdir(medium)).toEqual([]);
  });

  test("are refused when they are absent, or not in the list", async () => {
    expect((await refusal("darwin-x64")).message).toMatch(/^Cannot copy ".*imgpack-darwin-x64": no such file/);
    await writeFile(join(from, "imgpack-darwin-x64"), "unlisted");
    expect((await refusal("darwin-x64")).message).toContain("its sum is not in SHA256SUMS");
    from = medium;
    expect((await refusal("linux-arm64")).message).toContain("no SHA256SUMS");
  });

  test("are refused when a FIFO has their name, which is not waited for", async () => {
    await rm(join(from, "imgpack-linux-arm64"));
    execFileSync("mkfifo", [join(from, "imgpack-linux-arm64")]);
    expect((await refusal("linux-arm64")).message).toMatch(/imgpack-linux-arm64": not a file/);
  });

  test("have the names that npm run executable gives them", async () => {
    const { TARGETS } = (await import(BUILT_TARGETS)) as { TARGETS: readonly { name: string; file: string }[] };
    expect(TARGETS.map(({ name }) => name).sort()).toEqual([...TOOL_TARGETS].sort());
    for (const { name, file } of TARGETS) {
      await writeFile(join(from, "SHA256SUMS"), "");
      expect((await refusal(name)).message).toContain(`/${file}"`);
    }
  });

  test("stay where they are if the archive goes next to them", async () => {
    await chmod(join(from, "imgpack-linux-arm64"), 0o755);
    medium = from;
    await carry("linux-arm64");
    expect((await readdir(from)).sort()).toEqual(["SHA256SUMS", ...NAMES]);
  });
});

describe("imgpack pull --with-tool", () => {
  test.each([
    ["a target that is absent", ["-o", "OUT", "--with-tool", "linux-arm64,darwin-x64"], 9, "imgpack-darwin-x64"],
    ["an unknown target", ["-o", "OUT", "--with-tool", "amiga"], 2, "expected linux-x64, linux-arm64"],
    ["stdout as the output", ["-o", "-", "--with-tool", "linux-arm64"], 2, "it goes to a stream"],
  ])("refuses %s before it asks the registry", async (_what, words, exitCode, text) => {
    vi.stubEnv("IMGPACK_TOOL_DIR", from);
    onTestFinished(() => void vi.unstubAllEnvs());
    const output = words.map(word => word.replace("OUT", join(medium, "out.tar")));
    const refused = await runCommand("pull", "127.0.0.1:1/app:1", ...output);
    expect(refused).toMatchObject({ exitCode, stderr: expect.stringContaining(text) });
    expect(await readdir(medium)).toEqual([]);
  });
});
