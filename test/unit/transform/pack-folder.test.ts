import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { extract, type Header } from "tar-stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { StorageError } from "../../../src/errors.ts";
import { packFolder, surveyFolder } from "../../../src/transform/pack-folder.ts";
import { collect, noise, sha256Of } from "../../support/memory-blobs.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "imgpack-pack-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function entriesOf(tar: Uint8Array): Promise<readonly { header: Header; body: Uint8Array }[]> {
  const found: { header: Header; body: Uint8Array }[] = [];
  const reader = extract();
  Readable.from([tar]).pipe(reader as unknown as NodeJS.WritableStream);
  for await (const entry of reader) {
    found.push({ header: entry.header, body: await collect(entry as AsyncIterable<Uint8Array>) });
  }
  return found;
}

async function namesIn(path: string): Promise<readonly string[]> {
  return (await entriesOf(await collect(packFolder(path, { mtime: 0 })))).map(({ header }) => header.name);
}

describe("packFolder()", () => {
  test("keeps modes, links and contents, and gives all to root at one time", async () => {
    const path = folder();
    const big = noise(700_000);
    mkdirSync(join(path, "bin"));
    writeFileSync(join(path, "bin/a"), big, { mode: 0o755 });
    linkSync(join(path, "bin/a"), join(path, "bin/b"));
    symlinkSync("../nowhere", join(path, "bin/c"));
    writeFileSync(join(path, "none"), "secret");
    chmodSync(join(path, "none"), 0);
    mkdirSync(join(path, "tmp"));
    chmodSync(join(path, "tmp"), 0o1777);
    const entries = await entriesOf(await collect(packFolder(path, { mtime: 1_700_000_000 })));
    expect(entries.map(({ header }) => [header.name, header.type, header.mode, header.linkname, header.size])).toEqual([
      ["bin/", "directory", 0o755, null, 0],
      ["bin/a", "file", 0o755, null, 700_000],
      ["bin/b", "link", 0o755, "bin/a", 0],
      ["bin/c", "symlink", 0o777, "../nowhere", 0],
      ["none", "file", 0, null, 6],
      ["tmp/", "directory", 0o1777, null, 0],
    ]);
    expect(sha256Of(entries[1]?.body ?? new Uint8Array())).toBe(sha256Of(big));
    for (const { header } of entries) {
      expect(header).toMatchObject({ uid: 0, gid: 0, uname: "", gname: "", mtime: new Date(1_700_000_000_000) });
    }
  });

  test("sorts by the bytes of the names, whatever the order on disk", async () => {
    const path = folder();
    for (const name of ["a-b", "z", "\u{1F600}", "\uFF5E", "B"]) writeFileSync(join(path, name), "");
    mkdirSync(join(path, "a"));
    writeFileSync(join(path, "a/x"), "");
    // UTF-16 order would put the emoji, a surrogate pair, before U+FF5E.
    expect(await namesIn(path)).toEqual(["B", "a-b", "a/", "a/x", "z", "\uFF5E", "\u{1F600}"]);
  });

  test("carries names that fit no header, also a folder's of exactly 100 bytes", async () => {
    const path = folder();
    const deep = join(path, "d".repeat(100), "e".repeat(200));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, "f".repeat(250)), "x");
    symlinkSync("t".repeat(300), join(path, "l"));
    const entries = await entriesOf(await collect(packFolder(path, { mtime: 0 })));
    const [d, e, f] = ["d".repeat(100), "e".repeat(200), "f".repeat(250)];
    expect(entries.map(({ header }) => header.name)).toEqual([`${d}/`, `${d}/${e}/`, `${d}/${e}/${f}`, "l"]);
    expect(entries[3]?.header.linkname).toBe("t".repeat(300));
  });

  test("makes the same bytes again, with many small files that are read ahead", async () => {
    const path = folder();
    for (let index = 0; index < 300; index += 1) writeFileSync(join(path, `f${index}`), noise(index * 7, index));
    const first = await collect(packFolder(path, { mtime: 0 }));
    expect(sha256Of(await collect(packFolder(path, { mtime: 0 })))).toBe(sha256Of(first));
    const contents = await surveyFolder(path);
    expect(contents).toMatchObject({ entries: 300, notes: [] });
    expect(first.length).toBeGreaterThanOrEqual(contents.bytes);
  });

  test("gives owners on demand, also beyond what octal digits hold", async () => {
    if (process.getuid?.() !== 0) return expect(process.getuid?.()).not.toBe(0);
    const path = folder();
    writeFileSync(join(path, "a"), "");
    execFileSync("chown", ["3000000:7", join(path, "a")]);
    const [kept] = await entriesOf(await collect(packFolder(path, { mtime: 0, keepOwner: true })));
    expect(kept?.header).toMatchObject({ gid: 7, pax: { uid: "3000000" } });
    const [root] = await entriesOf(await collect(packFolder(path, { mtime: 0 })));
    expect(root?.header).toMatchObject({ uid: 0, gid: 0, pax: null });
  });

  test("leaves sockets out and says so, and warns of names that delete files", async () => {
    const path = folder();
    writeFileSync(join(path, ".wh.x"), "");
    const server = createServer();
    await new Promise<void>(resolve => server.listen(join(path, "s"), resolve));
    onTestFinished(() => void server.close());
    expect(await namesIn(path)).toEqual([".wh.x"]);
    expect((await surveyFolder(path)).notes).toEqual([
      expect.stringContaining('".wh.x" will not be in a container'),
      'Skipping "s": a layer cannot contain a socket',
    ]);
  });

  test("refuses a file that grows while it is read", async () => {
    const path = folder();
    writeFileSync(join(path, "a"), noise(400_000));
    writeFileSync(join(path, "b"), noise(3_000_000));
    const read = async (): Promise<void> => {
      let parts = 0;
      for await (const _part of packFolder(path, { mtime: 0 })) {
        if (parts === 0) appendFileSync(join(path, "b"), "more");
        parts += 1;
      }
    };
    const failed = read();
    await expect(failed).rejects.toThrow(StorageError);
    await expect(failed).rejects.toThrow(`Cannot pack "${path}/b": it changed while it was read`);
  });

  test("names a folder that is not there, and a name that is not UTF-8", async () => {
    const path = folder();
    await expect(collect(packFolder(join(path, "gone"), { mtime: 0 }))).rejects.toThrow(
      `Cannot pack "${path}/gone": no such file`,
    );
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0x61])]), "");
    await expect(surveyFolder(path)).rejects.toThrow("its name is not UTF-8");
  });

  test("stops when its reader leaves, and when the signal aborts", async () => {
    const path = folder();
    writeFileSync(join(path, "a"), noise(5_000_000));
    for await (const _part of packFolder(path, { mtime: 0 })) break;
    const stop = new AbortController();
    stop.abort(new Error("interrupted"));
    await expect(collect(packFolder(path, { mtime: 0 }, stop.signal))).rejects.toThrow("interrupted");
  });
});
