import { appendFile, cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type LayoutFolderOptions, layoutFolderTarget } from "../../../../src/archive/write/layout-folder-target.ts";
import { copyImages } from "../../../../src/copy/copy-image.ts";
import { openDigestCache } from "../../../../src/copy/digest-cache.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { StorageError } from "../../../../src/errors.ts";
import { encodeLockRecord, newClaim } from "../../../../src/util/lock/lock-record.ts";
import { watchOperations } from "../../../../src/util/operation-hook.ts";
import { fixedPace } from "../../../../src/util/pace/pace.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { addImage, type MemorySource, memorySource, settledRoot } from "../../../support/memory-image.ts";

const source: MemorySource = memorySource();
const root = settledRoot(addImage(source, "app"), "registry.lan/app:1");

async function write(path: string, options: Partial<LayoutFolderOptions> = {}): Promise<readonly string[]> {
  const notes: string[] = [];
  const plan = await gather(source, [root]);
  source.asked.length = 0;
  await copyImages({
    plan,
    source,
    target: layoutFolderTarget(path, {
      platform: { os: "linux", architecture: "amd64" },
      onNote: text => void notes.push(text),
      ...options,
    }),
    sourceName: "memory",
    cache: await openDigestCache(undefined),
    pace: fixedPace(1),
    onProgress: () => undefined,
  });
  return notes;
}

async function contentOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter(entry => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return new Map(await Promise.all(paths.map(async path => [path, await readFile(path, "latin1")] as const)));
}

describe("finishedFolder()", () => {
  test("a folder that holds this very layout is checked, and nothing is fetched", async () => {
    const above = await temporaryFolder();
    const path = join(above, "out");
    await write(path);
    // As a run leaves it that is killed behind the rename: its lock is still there.
    const claim = { ...(await newClaim()), pid: 2 ** 22 + 1 };
    await writeFile(`${path}.partial.lock`, encodeLockRecord(claim), { mode: 0o600 });
    const before = await contentOf(path);
    const operations: string[] = [];
    watchOperations(async (operation, run) => {
      operations.push(`${operation.kind} ${operation.target}`);
      return await run();
    });
    onTestFinished(() => watchOperations(undefined));
    const notes = await write(path);
    expect(notes).toEqual([expect.stringMatching(/^Checking .* in /), `"${path}" contains these images already`]);
    expect(source.asked).toEqual([]);
    expect(await contentOf(path)).toEqual(before);
    expect(await readdir(above)).toEqual(["out"]);
    expect(operations.filter(text => text.includes(`${path}/`))).toEqual([]);
  });

  const differences: readonly (readonly [string, (folder: string, blob: string) => Promise<unknown>])[] = [
    ["a blob has another byte", async (_, blob) => await writeFile(blob, "x", { flag: "r+" })],
    ["a blob is longer", async (_, blob) => await appendFile(blob, "x")],
    ["a blob is missing", async (_, blob) => await rm(blob)],
    ["there is another file", async folder => await writeFile(join(folder, "notes.txt"), "")],
    ["there is another blob", async (_, blob) => await cp(blob, blob.replace(/.{4}$/, "0000"))],
    ["its index has another byte", async folder => await writeFile(join(folder, "index.json"), " ", { flag: "r+" })],
    ["its index is longer", async folder => await appendFile(join(folder, "index.json"), "\n")],
  ];

  test.each(differences)("a folder is refused, and left as it is, when %s", async (_, change) => {
    const above = await temporaryFolder();
    const path = join(above, "out");
    await write(path);
    const blobs = join(path, "blobs", "sha256");
    const [blob = ""] = (await readdir(blobs)).sort();
    await change(path, join(blobs, blob));
    const before = await contentOf(path);
    const refused = await write(path).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StorageError);
    expect(refused).toMatchObject({ message: expect.stringContaining("expected an empty folder or nothing") });
    expect(await contentOf(path)).toEqual(before);
    expect(await readdir(above)).toEqual(["out"]);
  });

  test("with --restart it is no different from any other folder", async () => {
    const path = join(await temporaryFolder(), "out");
    await write(path);
    await expect(write(path, { restart: true })).rejects.toThrow("expected an empty folder or nothing");
  });
});
