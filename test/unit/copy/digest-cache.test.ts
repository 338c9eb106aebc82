import { execFileSync, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import {
  appendFile,
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PendingKey, Seal } from "../../../src/content/contracts.ts";
import { openDigestCache } from "../../../src/copy/digest-cache.ts";
import { noise, sha256Of } from "../../support/memory-blobs.ts";

let folder = "";
let file = "";

beforeEach(() => {
  folder = join(tmpdir(), `imgpack-cache-${randomUUID()}`, "imgpack");
  file = join(folder, "digests-v2.jsonl");
});

afterEach(async () => {
  await rm(join(folder, ".."), { recursive: true, force: true });
});

const key = (name: string): PendingKey => `pending:${name}`;
const digestOf = (name: string): ReturnType<typeof sha256Of> => sha256Of(Buffer.from(name));
const seal = (name: string, size = 10): Seal => ({ descriptor: { mediaType: "x", digest: digestOf(name), size } });
const KEY = noise(32);
const macOf = (text: string, of = KEY): string => createHmac("sha256", of).update(text).digest("hex").slice(0, 32);
const lineOf = (fields: unknown, of = KEY): string => {
  const text = JSON.stringify(fields);
  return `${macOf(text, of)} ${text}\n`;
};
/** A folder with a key, as after a first run. */
const makeFolder = async (): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "digests-v2.key"), KEY, { mode: 0o600 });
};

describe("openDigestCache()", () => {
  test("remembers layers and holders for the next run", async () => {
    const first = await openDigestCache(folder);
    await first.add(key("a"), seal("a", 77));
    await first.addHolder("localhost:5000", digestOf("a"), "team/app");
    const next = await openDigestCache(folder);
    expect(next.find(key("a"))).toEqual({ digest: digestOf("a"), size: 77 });
    expect(next.find(key("b"))).toBeUndefined();
    expect(next.findHolder("localhost:5000", digestOf("a"), "other")).toBe("team/app");
    expect(next.findHolder("localhost:5000", digestOf("a"), "team/app")).toBeUndefined();
    expect(next.findHolder("elsewhere:5000", digestOf("a"), "other")).toBeUndefined();
  });

  test("names the repository that was seen last, and another one where that is the target itself", async () => {
    const cache = await openDigestCache(folder);
    for (const repository of ["one", "two", "three"]) await cache.addHolder("r", digestOf("a"), repository);
    for (const each of [cache, await openDigestCache(folder)]) {
      expect(each.findHolder("r", digestOf("a"), "new")).toBe("three");
      expect(each.findHolder("r", digestOf("a"), "three")).toBe("two");
    }
  });

  test("keeps all in memory without a folder", async () => {
    const cache = await openDigestCache(undefined);
    await cache.add(key("a"), seal("a"));
    expect(cache.find(key("a"))).toEqual({ digest: digestOf("a"), size: 10 });
  });

  test("makes a folder and a file that only their owner may read", async () => {
    await (await openDigestCache(folder)).add(key("a"), seal("a"));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("only appends, and nothing that is known", async () => {
    const cache = await openDigestCache(folder);
    await cache.add(key("a"), seal("a"));
    const before = await readFile(file, "utf8");
    await cache.add(key("a"), seal("a"));
    await (await openDigestCache(folder)).add(key("a"), seal("a"));
    expect(await readFile(file, "utf8")).toBe(before);
    await cache.add(key("b"), seal("b"));
    expect((await readFile(file, "utf8")).startsWith(before)).toBe(true);
  });

  test("keeps what several runs write at once", async () => {
    await makeFolder();
    const runs = await Promise.all(Array.from({ length: 8 }, async () => await openDigestCache(folder)));
    await Promise.all(
      runs.flatMap((run, writer) =>
        Array.from(
          { length: 40 },
          async (_, line) => await run.add(key(`${writer}-${line}`), seal(`${writer}-${line}`)),
        ),
      ),
    );
    const cache = await openDigestCache(folder);
    for (let writer = 0; writer < 8; writer += 1) {
      for (let line = 0; line < 40; line += 1) {
        expect(cache.find(key(`${writer}-${line}`))?.digest).toBe(digestOf(`${writer}-${line}`));
      }
    }
  });

  test("loses no line after another first run has replaced its key", async () => {
    const cache = await openDigestCache(folder);
    await cache.add(key("before"), seal("before"));
    await writeFile(join(folder, "digests-v2.key"), KEY, { mode: 0o600 });
    await cache.add(key("after"), seal("after"));
    const next = await openDigestCache(folder);
    expect(next.find(key("before"))).toBeUndefined();
    expect(next.find(key("after"))).toEqual({ digest: digestOf("after"), size: 10 });
  });

  test("keeps its lines apart from those of another process", async () => {
    await makeFolder();
    const cache = await openDigestCache(folder);
    await cache.add(key("first"), seal("first"));
    const foreign = Array.from({ length: 100 }, (_, line) =>
      lineOf(["layer", `pending:f-${line}`, digestOf(`f-${line}`), 5]),
    );
    const script = `const fs = require("node:fs"); for (const line of ${JSON.stringify(foreign)}) fs.appendFileSync(process.argv[1], line);`;
    const other = spawn(process.execPath, ["-e", script, file], { stdio: "inherit" });
    const ended = new Promise(resolve => other.once("exit", resolve));
    for (let line = 0; line < 100; line += 1) await cache.add(key(`own-${line}`), seal(`own-${line}`));
    expect(await ended).toBe(0);
    const next = await openDigestCache(folder);
    for (let line = 0; line < 100; line += 1) {
      expect(next.find(key(`own-${line}`))?.digest).toBe(digestOf(`own-${line}`));
      expect(next.find(key(`f-${line}`))?.digest).toBe(digestOf(`f-${line}`));
    }
  });

  test("passes over a line that a killed run left half, and begins its own on a new one", async () => {
    const cache = await openDigestCache(folder);
    await cache.add(key("a"), seal("a"));
    await cache.add(key("b"), seal("b"));
    await truncate(file, (await stat(file)).size - 20);
    const next = await openDigestCache(folder);
    expect(next.find(key("b"))).toBeUndefined();
    await next.add(key("c"), seal("c"));
    const last = await openDigestCache(folder);
    expect([key("a"), key("b"), key("c")].map(each => last.find(each)?.digest)).toEqual([
      digestOf("a"),
      undefined,
      digestOf("c"),
    ]);
  });

  const bad: readonly (readonly [string, string | Uint8Array])[] = [
    [
      "with a wrong checksum",
      lineOf(["layer", "pending:x", digestOf("x"), 1]).replace(/^./, each => (each === "0" ? "1" : "0")),
    ],
    ["with an altered digest", lineOf(["layer", "pending:x", digestOf("x"), 1]).replace("sha256:", "sha256:0")],
    ["without a checksum", `${JSON.stringify(["layer", "pending:x", digestOf("x"), 1])}\n`],
    ["that is no JSON though its checksum fits", `${macOf("{oops")} {oops\n`],
    ["that holds no list", lineOf({ kind: "layer" }) + lineOf(null) + lineOf(7)],
    ["of a later version", lineOf(["layer-v2", "pending:x", digestOf("x"), 1])],
    ["without a real digest", lineOf(["layer", "pending:x", "sha256:12", 1])],
    [
      "with an impossible size",
      lineOf(["layer", "pending:x", digestOf("x"), -1]) + lineOf(["layer", "pending:x", digestOf("x"), 1.5]),
    ],
    ["of random bytes", noise(5000)],
  ];
  test.each(bad)("passes over a line %s", async (_what, line) => {
    await makeFolder();
    await writeFile(file, lineOf(["layer", "pending:before", digestOf("before"), 1]));
    await appendFile(file, line);
    await appendFile(file, `\n${lineOf(["layer", "pending:after", digestOf("after"), 1])}`);
    const cache = await openDigestCache(folder);
    expect(cache.find(key("x"))).toBeUndefined();
    expect(cache.find(key("before"))?.digest).toBe(digestOf("before"));
    expect(cache.find(key("after"))?.digest).toBe(digestOf("after"));
  });

  test("reads the newest 32 MiB of a file that has grown, its first line cut or not", async () => {
    await makeFolder();
    await writeFile(file, lineOf(["layer", "pending:old", digestOf("old"), 1]));
    const newest = lineOf(["layer", "pending:new", digestOf("new"), 1]);
    // A hole reads as zeros and costs no disk.
    await truncate(file, 32 * 1024 * 1024);
    await appendFile(file, `\n${newest}`);
    const cache = await openDigestCache(folder);
    expect(cache.find(key("new"))?.digest).toBe(digestOf("new"));
    expect(cache.find(key("old"))).toBeUndefined();
  });

  test("a planted line, signed with no key or another one, does not name another layer's digest", async () => {
    await (await openDigestCache(folder)).add(key("a"), seal("a"));
    const planted = ["layer", key("b"), digestOf("other"), 10];
    const text = JSON.stringify(planted);
    const unsigned = `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
    await appendFile(file, unsigned + lineOf(planted, noise(32, 9)) + lineOf(planted, Buffer.alloc(0)));
    const cache = await openDigestCache(folder);
    expect(cache.find(key("b"))).toBeUndefined();
    expect(cache.find(key("a"))?.digest).toBe(digestOf("a"));
  });

  const asRoot = process.getuid?.() === 0;
  const planted: readonly (readonly [string, string, boolean, (path: string) => Promise<void>])[] = [
    ["of another user", "digests-v2.jsonl", asRoot, async path => await chown(path, 12_345, 12_345)],
    ["that others can write", "digests-v2.jsonl", true, async path => await chmod(path, 0o622)],
    [
      "that is a link",
      "digests-v2.jsonl",
      true,
      async path => await replace(path, async to => await symlink(`${to}.old`, to)),
    ],
    ["that is a second name", "digests-v2.jsonl", true, async path => await link(path, `${path}.old`)],
    [
      "that is a FIFO",
      "digests-v2.jsonl",
      true,
      async path => await replace(path, async to => void execFileSync("mkfifo", [to])),
    ],
    ["with a key of another user", "digests-v2.key", asRoot, async path => await chown(path, 12_345, 12_345)],
    ["with a key that others can read", "digests-v2.key", true, async path => await chmod(path, 0o644)],
    [
      "with a key that is a FIFO",
      "digests-v2.key",
      true,
      async path => await replace(path, async to => void execFileSync("mkfifo", [to, "-m", "600"])),
    ],
    ["with a short key", "digests-v2.key", true, async path => await truncate(path, 5)],
  ];
  for (const [what, name, isPossible, plant] of planted) {
    test.runIf(isPossible)(`ignores a cache ${what}, says so, and works without it`, async () => {
      await (await openDigestCache(folder)).add(key("a"), seal("a"));
      const path = join(folder, name);
      await plant(path);
      const before = (await lstat(path)).size;
      const notes: string[] = [];
      const cache = await openDigestCache(folder, note => void notes.push(note));
      expect(cache.find(key("a"))).toBeUndefined();
      expect(notes).toEqual([expect.stringContaining(`is not used: expected "${name}" to be a file of`)]);
      await cache.add(key("b"), seal("b"));
      expect(cache.find(key("b"))?.digest).toBe(digestOf("b"));
      expect((await lstat(path)).size).toBe(before);
    });
  }

  test("works without remembering where the folder cannot be made", async () => {
    await mkdir(join(folder, ".."), { recursive: true });
    await writeFile(folder, "a file is in the way");
    const cache = await openDigestCache(folder);
    await cache.add(key("a"), seal("a"));
    expect(cache.find(key("a"))?.digest).toBe(digestOf("a"));
  });

  test("works without remembering where the file cannot be written", async () => {
    await mkdir(folder, { recursive: true });
    await symlink("/dev/full", file);
    const cache = await openDigestCache(folder);
    await cache.add(key("a"), seal("a"));
    expect(cache.find(key("a"))?.digest).toBe(digestOf("a"));
  });

  test.skipIf(process.getuid?.() === 0)("works without remembering where the folder is read-only", async () => {
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o500);
    const cache = await openDigestCache(folder);
    await cache.add(key("a"), seal("a"));
    expect(cache.find(key("a"))?.digest).toBe(digestOf("a"));
  });
});

async function replace(path: string, make: (path: string) => Promise<void>): Promise<void> {
  await rename(path, `${path}.old`);
  await make(path);
}
