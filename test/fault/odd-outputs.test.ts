// Outputs that are no plain file: docs/PULL.md says what happens to each of them.
import { spawnSync } from "node:child_process";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { dockerArchive, fileWith, temporaryFolder } from "../support/images.ts";

ownEnvironment();

const LINK_HINT = "Name the file that it points to, or remove the link.";
const PIPE_HINT = 'Name "-" to write to stdout, and redirect it; or name a file such as images.tar.';
const FOLDER_HINT = "Choose another name; a name without a slash at its end writes a tar.";
const makePipe = (path: string): boolean => spawnSync("mkfifo", [path]).status === 0;
const image = async (): Promise<string> => await fileWith(dockerArchive({ tags: ["app:1"] }));

describe("imgpack convert to what is no plain file", () => {
  test.each<[string, (path: string) => unknown, string, string]>([
    [
      "a symbolic link to a file",
      path => {
        writeFileSync(join(dirname(path), "victim"), "precious");
        symlinkSync("victim", path);
      },
      "a symbolic link",
      LINK_HINT,
    ],
    ["a symbolic link to nothing", path => symlinkSync("nothing", path), "a symbolic link", LINK_HINT],
    ["a pipe", makePipe, "a pipe or device", PIPE_HINT],
  ])("F-01 imgpack convert refuses %s, and leaves it as it is", async (_what, make, found, hint) => {
    const folder = await temporaryFolder();
    const output = join(folder, "out.tar");
    make(output);
    const before = readdirSync(folder);
    const ended = await runCommand("convert", await image(), output);
    expect(ended).toMatchObject({ exitCode: 9, stdout: "" });
    expect(said(ended, output)).toEqual([`Cannot write "PATH": found ${found}, expected a file or nothing`, hint]);
    expect(readdirSync(folder)).toEqual(before);
    if (found === "a symbolic link") expect(readlinkSync(output)).toMatch(/^(victim|nothing)$/);
    if (before.includes("victim")) expect(readFileSync(join(folder, "victim"), "utf8")).toBe("precious");
  });

  test.skipIf(process.platform === "win32").each(["/dev/null", "/dev/full"])(
    "F-01 imgpack convert refuses %s by its name, and makes nothing beside it",
    async device => {
      const ended = await runCommand("convert", await image(), device);
      expect(ended).toMatchObject({ exitCode: 9, stdout: "" });
      expect(said(ended, device)).toEqual([
        'Cannot write "PATH": found a pipe or device, expected a file or nothing',
        PIPE_HINT,
      ]);
      expect(lstatSync(device).isCharacterDevice()).toBe(true);
      expect(readdirSync("/dev").filter(name => name.includes(".partial"))).toEqual([]);
    },
  );

  test.each<[string, (path: string) => unknown, string, string]>([
    [
      "a symbolic link to a folder",
      path => {
        mkdirSync(join(dirname(path), "elsewhere"));
        symlinkSync("elsewhere", path);
      },
      "found a symbolic link",
      FOLDER_HINT,
    ],
    ["a file", path => writeFileSync(path, "precious"), "found a file", FOLDER_HINT],
    ["a pipe", makePipe, "found a pipe or device", FOLDER_HINT],
    [
      "a folder with something in it",
      path => {
        mkdirSync(path);
        writeFileSync(join(path, "diary"), "dear");
      },
      "found 1 entry in it",
      "Remove what is in it, or name a folder that does not exist yet.",
    ],
  ])(
    "F-01 imgpack convert refuses %s where a folder is to be, and leaves it as it is",
    async (_what, make, found, hint) => {
      const folder = await temporaryFolder();
      const output = join(folder, "out");
      make(output);
      const before = readdirSync(folder, { recursive: true });
      const ended = await runCommand("convert", await image(), `${output}/`);
      expect(ended).toMatchObject({ exitCode: 9, stdout: "" });
      expect(said(ended, output)).toEqual([
        `Cannot write folder "PATH": ${found}, expected an empty folder or nothing`,
        hint,
      ]);
      expect(readdirSync(folder, { recursive: true })).toEqual(before);
    },
  );

  test("imgpack convert writes a layout into an empty folder that is there, without a slash too", async () => {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, "out"));
    expect(await runCommand("convert", await image(), join(folder, "out"))).toMatchObject({ exitCode: 0 });
    expect(readdirSync(join(folder, "out")).sort()).toEqual(["blobs", "imgpack.json", "index.json", "oci-layout"]);
  });

  test("F-01 imgpack convert replaces one name of a file that has two: the other keeps what it had", async () => {
    const folder = await temporaryFolder();
    const [output, other] = [join(folder, "out.tar"), join(folder, "other")];
    writeFileSync(other, "precious");
    linkSync(other, output);
    expect(await runCommand("convert", await image(), output)).toMatchObject({ exitCode: 0 });
    expect(readFileSync(other, "utf8")).toBe("precious");
    expect(lstatSync(output)).toMatchObject({ nlink: 1 });
    expect(await runCommand("verify", output)).toMatchObject({ exitCode: 0 });
  });

  test("F-01 imgpack import treats a link as convert does", async () => {
    const folder = await temporaryFolder();
    symlinkSync("nothing", join(folder, "out.tar"));
    const ended = await runCommand("import", await rootfs(), "--tag", "app:1", "-o", join(folder, "out.tar"));
    expect(ended).toMatchObject({ exitCode: 9 });
    expect(said(ended)[1]).toBe(LINK_HINT);
    expect(readdirSync(folder)).toEqual(["out.tar"]);
  });

  test("imgpack convert refuses a folder for a docker archive", async () => {
    const folder = await temporaryFolder();
    const ended = await runCommand("convert", await image(), folder, "--format", "docker");
    expect(ended).toMatchObject({ exitCode: 2 });
    expect(readdirSync(folder)).toEqual([]);
  });
});

async function rootfs(): Promise<string> {
  const folder = await temporaryFolder();
  writeFileSync(join(folder, "hello"), "hello");
  return folder;
}

describe("--failed-list", () => {
  const run = async (list: string): Promise<number> =>
    (await runCommand("push", "nowhere.tar", "--registry", "127.0.0.1:1", "--failed-list", list)).exitCode;

  test("--failed-list is replaced at once, keeps its mode, and is written through a link", async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "list"), "old\n", { mode: 0o640 });
    symlinkSync("list", join(folder, "link"));
    const { ino } = lstatSync(join(folder, "list"));
    expect(await run(join(folder, "link"))).toBe(9);
    expect(readFileSync(join(folder, "list"), "utf8")).toBe("nowhere.tar\n");
    expect(lstatSync(join(folder, "list")).mode & 0o777).toBe(0o640);
    expect(lstatSync(join(folder, "list")).ino).not.toBe(ino);
    expect(readlinkSync(join(folder, "link"))).toBe("list");
    expect(readdirSync(folder).sort()).toEqual(["link", "list"]);
  });

  test("--failed-list goes to a device as it is", async () => {
    expect(await run("/dev/null")).toBe(9);
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  test("--failed-list names what failed where it cannot be written", async () => {
    const folder = await temporaryFolder();
    expect(await run(join(folder, "nowhere", "list"))).toBe(9);
    expect(await run("/dev/full")).toBe(9);
  });
});
