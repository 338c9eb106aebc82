// Whoever writes a code cache decides what the next run executes.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { keepCodeCache } from "../../src/launch/keep-code-cache.ts";
import { loadProgram } from "../../src/launch/load-program.ts";
import { watchOperations } from "../../src/util/operation-hook.ts";
import { temporaryFolder } from "../support/images.ts";

const TEXT = '(function(exports){exports.run=async()=>"first"})';
/** The same length, as V8 compares nothing else of a source. */
const OTHER_TEXT = TEXT.replace("first", "other");
const DAY_MS = 86_400_000;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

let home: string;
/** Folder of the program. */
let dist: string;

beforeEach(async () => {
  home = await temporaryFolder();
  dist = join(home, "dist");
  mkdirSync(dist);
  vi.stubEnv("IMGPACK_CACHE_DIR", join(home, "cache"));
  vi.stubEnv("IMGPACK_CODE_CACHE", undefined);
  writeProgram(TEXT);
});
afterEach(() => {
  watchOperations(undefined);
  vi.unstubAllEnvs();
});

function writeProgram(text: string): void {
  writeFileSync(join(dist, "program.cjs"), text);
  // As npm does for all packages.
  utimesSync(join(dist, "program.cjs"), 500_000_000, 500_000_000);
}

/** What a run of the launcher loads. */
function start(text = TEXT, words: readonly string[] = ["push", "x.tar"]): ReturnType<typeof loadProgram> {
  return loadProgram(dist, words, sha256(text));
}

/** What a good run ends with. */
async function keep(): Promise<void> {
  const { program, toKeep } = start();
  // V8 compiles what is called.
  await program.run([]);
  if (toKeep === undefined) throw new Error("Nothing to keep");
  await keepCodeCache(toKeep);
}

/** Whether a run uses what an earlier one kept. */
const isUsed = (): boolean => start().toKeep === undefined;
const folder = (): string => join(home, "cache", "code");
const files = (): readonly string[] => readdirSync(folder()).map(name => join(folder(), name));
function file(): string {
  const [path] = files();
  if (path === undefined) throw new Error("No file");
  return path;
}

describe("a code cache of this user", () => {
  test("is kept for this user alone, and used by the next run", async () => {
    await keep();
    expect(statSync(folder()).mode & 0o777).toBe(0o700);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(isUsed()).toBe(true);
    expect(await start().program.run([])).toBe("first");
  });

  test("is of one command, or of the help", async () => {
    await keep();
    expect(start(TEXT, ["pull", "x"]).toKeep).toBeDefined();
    expect(start(TEXT, ["__complete", "0"]).toKeep).toBeDefined();
    for (const words of [["push", "--help"], ["-h"], ["help"], [], ["../push"]]) {
      expect(start(TEXT, words).toKeep?.entry.name.split("-")[0]).toBe(
        words.length > 0 && words[0] !== "../push" ? "help" : undefined,
      );
    }
    // An argument.
    expect(start(TEXT, ["push", "--", "--help"]).toKeep).toBeUndefined();
  });

  test("is not used with IMGPACK_CODE_CACHE=off, and none is made", () => {
    vi.stubEnv("IMGPACK_CODE_CACHE", "off");
    expect(start().toKeep).toBeUndefined();
    expect(existsSync(join(home, "cache"))).toBe(false);
  });

  test("is not used in a relative folder: others may decide what is in a working folder", () => {
    vi.stubEnv("IMGPACK_CACHE_DIR", "cache");
    expect(start().toKeep).toBeUndefined();
  });

  test("of another program of the same length is not used, though V8 would take it", async () => {
    await keep();
    const third = TEXT.replace("first", "third");
    writeProgram(third);
    const { program, toKeep: made } = start(third);
    expect(await program.run([])).toBe("third");
    expect(made).toBeDefined();
    // V8 itself sees no difference: under the name of another program, it runs the code of the first one.
    writeProgram(OTHER_TEXT);
    const path = file();
    renameSync(path, path.replace(/[0-9a-f]{16}(?=\.)/, sha256(OTHER_TEXT).slice(0, 16)));
    expect(await start(OTHER_TEXT).program.run([])).toBe("first");
  });

  test("is not made of a program that is not the one built with the launcher", async () => {
    writeProgram(OTHER_TEXT);
    await keep();
    expect(existsSync(join(home, "cache"))).toBe(false);
  });

  test("is made again after a week, because it lacks what its run did not call", async () => {
    await keep();
    const then = (Date.now() - 8 * DAY_MS) / 1000;
    utimesSync(file(), then, then);
    expect(isUsed()).toBe(false);
    await keep();
    expect(isUsed()).toBe(true);
    expect(files()).toHaveLength(1);
  });

  test("replaces those that no run uses any more, and nothing else", async () => {
    await keep();
    const current = file().slice(folder().length + 1);
    const old = (name: string, days: number): string => {
      writeFileSync(join(folder(), name), "");
      const then = (Date.now() - days * DAY_MS) / 1000;
      utimesSync(join(folder(), name), then, then);
      return name;
    };
    const another = current.replace("0.0.0", "0.0.1");
    old(another, 2);
    old(current.replace("push", "pull"), 31);
    old(`${current}.0123456789ab`, 1);
    const left = [
      old("notes.txt", 99),
      old(current.replace("push", "tags"), 8),
      old(another.replace("push", "copy"), 0),
    ];
    utimesSync(join(folder(), current), 1, 1);
    await keep();
    expect(readdirSync(folder()).sort()).toEqual([current, ...left].sort());
  });
});

describe("a code cache that another user may have written", () => {
  const DAMAGES: readonly (readonly [string, () => void])[] = [
    ["a file that others can write", () => chmodSync(file(), 0o622)],
    ["a file that others can read", () => chmodSync(file(), 0o644)],
    ["a file with a second name", () => linkSync(file(), join(home, "second"))],
    [
      "a symbolic link",
      () => {
        const path = file();
        renameSync(path, join(home, "real"));
        symlinkSync(join(home, "real"), path);
      },
    ],
    [
      "a FIFO, which is not waited for",
      () => {
        const path = file();
        renameSync(path, join(home, "real"));
        execFileSync("mkfifo", ["-m", "600", path]);
      },
    ],
    ["a folder that others can enter", () => chmodSync(folder(), 0o755)],
    ["a folder that others can write", () => chmodSync(folder(), 0o770)],
    [
      "a link in place of the folder",
      () => {
        renameSync(folder(), join(home, "moved"));
        symlinkSync(join(home, "moved"), folder());
      },
    ],
    ["a folder above that others can write", () => chmodSync(home, 0o777)],
    ["a flipped byte", () => flip(file(), 100)],
    ["a flipped byte of the checksum", () => flip(file(), 3)],
    ["a file cut short", () => writeFileSync(file(), readFileSync(file()).subarray(0, 90))],
    ["an empty file", () => writeFileSync(file(), "")],
  ];

  function flip(path: string, at: number): void {
    const bytes = readFileSync(path);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }

  test.each(DAMAGES)("%s is not used", async (_what, damage) => {
    await keep();
    expect(isUsed()).toBe(true);
    damage();
    expect(isUsed()).toBe(false);
    expect(await start().program.run([])).toBe("first");
  });

  test.runIf(process.getuid?.() === 0).each([
    ["file", () => file()],
    ["folder", () => folder()],
    ["cache folder", () => join(home, "cache")],
    ["home, as with sudo that keeps HOME", () => home],
  ])("root does not use the %s of another user", async (_what, path) => {
    await keep();
    chownSync(path(), 12_345, 12_345);
    expect(isUsed()).toBe(false);
  });

  test.runIf(process.getuid?.() === 0)("root makes no folder in the home of another user", async () => {
    chownSync(home, 12_345, 12_345);
    await keep();
    expect(existsSync(join(home, "cache"))).toBe(false);
  });

  test("a damaged file is replaced", async () => {
    await keep();
    flip(file(), 100);
    await keep();
    expect(isUsed()).toBe(true);
  });

  test("a folder of the same owner but open to others is not written to", async () => {
    mkdirSync(folder(), { recursive: true });
    chmodSync(folder(), 0o777);
    await keep();
    expect(files()).toEqual([]);
  });

  test("nothing is written through a link in place of the folder", async () => {
    const other = join(home, "other");
    mkdirSync(other, { mode: 0o700 });
    mkdirSync(join(home, "cache"));
    symlinkSync(other, folder());
    await keep();
    expect(readdirSync(other)).toEqual([]);
  });

  test("nothing is written below a folder that others can write", async () => {
    chmodSync(home, 0o777);
    await keep();
    expect(existsSync(folder())).toBe(false);
  });
});

describe("a code cache that cannot be kept", () => {
  test.each(["make-folder", "create", "write", "rename"] as const)(
    "a failing %s is no error, and leaves no file",
    async kind => {
      watchOperations(async (operation, run) => {
        if (operation.kind === kind) throw Object.assign(new Error("full"), { code: "ENOSPC", syscall: "write" });
        return await run();
      });
      await keep();
      watchOperations(undefined);
      expect(existsSync(folder()) ? readdirSync(folder()) : []).toEqual([]);
      await keep();
      expect(isUsed()).toBe(true);
    },
  );

  test("an account without a home gets none", async () => {
    vi.stubEnv("IMGPACK_CACHE_DIR", undefined);
    vi.stubEnv("XDG_CACHE_HOME", undefined);
    vi.stubEnv("HOME", join(home, "nobody"));
    await keep();
    expect(existsSync(join(home, "nobody"))).toBe(false);
    mkdirSync(join(home, "nobody"));
    await keep();
    expect(existsSync(join(home, "nobody/.cache/imgpack/code"))).toBe(true);
  });

  test("a file where the cache folder should be is no error", async () => {
    writeFileSync(join(home, "cache"), "");
    await keep();
    expect(readFileSync(join(home, "cache"), "utf8")).toBe("");
  });
});
