import { chmodSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { layoutFolderTarget } from "../../../../src/archive/write/layout-folder-target.ts";
import { copyImages } from "../../../../src/copy/copy-image.ts";
import { openDigestCache } from "../../../../src/copy/digest-cache.ts";
import { gather } from "../../../../src/copy/gather.ts";
import { IntegrityError, InternalError, StorageError } from "../../../../src/errors.ts";
import { OCI_LAYER_GZIP } from "../../../../src/oci/media-types.ts";
import { fixedPace } from "../../../../src/util/pace/pace.ts";
import { temporaryFolder } from "../../../support/images.ts";
import { partsBlob, sha256Of } from "../../../support/memory-blobs.ts";
import { addImage, addIndex, type MemorySource, memorySource, settledRoot } from "../../../support/memory-image.ts";

const platform = { os: "linux", architecture: "amd64" };
const NAME = "registry.lan/app:1";

async function write(
  path: string,
  source: MemorySource,
  root: ReturnType<typeof settledRoot>,
  concurrency = 3,
): Promise<void> {
  await copyImages({
    plan: await gather(source, [root]),
    source,
    target: layoutFolderTarget(path, { platform }),
    sourceName: "memory",
    cache: await openDigestCache(undefined),
    pace: fixedPace(concurrency),
    onProgress: () => undefined,
  });
}

function scene(): { readonly source: MemorySource; readonly root: ReturnType<typeof settledRoot> } {
  const source = memorySource();
  const index = addIndex(source, [{ ...addImage(source, "app"), platform }]);
  return { source, root: settledRoot(index, NAME) };
}

describe("layoutFolderTarget()", () => {
  test("layoutFolderTarget() writes a layout whose files are what their names say, and nothing else", async () => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    await write(join(above, "out/"), source, root);
    expect(await readdir(above)).toEqual(["out"]);
    expect((await readdir(join(above, "out"))).sort()).toEqual(["blobs", "imgpack.json", "index.json", "oci-layout"]);
    const blobs = join(above, "out", "blobs", "sha256");
    const names = await readdir(blobs);
    expect(names).toHaveLength(4);
    for (const name of names) expect(sha256Of(await readFile(join(blobs, name)))).toBe(`sha256:${name}`);
    const index = JSON.parse(await readFile(join(above, "out", "index.json"), "utf8"));
    expect(index.manifests).toMatchObject([{ annotations: { "io.containerd.image.name": NAME } }]);
  });

  test("layoutFolderTarget() is closed to others while it grows, and as open as the umask says when it is whole", async () => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    const plan = await gather(source, [root]);
    await using session = await layoutFolderTarget(join(above, "out"), { platform }).begin(plan);
    expect(statSync(join(above, "out.partial")).mode & 0o777).toBe(0o700);
    for (const blob of plan.blobs) await session.put(blob, await source.blob(blob));
    await session.commit([]);
    await mkdir(join(above, "other"));
    expect((await stat(join(above, "out"))).mode).toBe((await stat(join(above, "other"))).mode);
  });

  test("layoutFolderTarget() replaces an empty folder, and refuses one that holds something", async () => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    const path = join(above, "out");
    await mkdir(path);
    await write(path, source, root);
    const other = { ...root, names: ["registry.lan/app:2"] };
    const error = await write(path, source, other).catch(fault => fault);
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({
      message: expect.stringContaining("found 4 entries in it"),
      hint: expect.any(String),
    });
    expect(await readdir(above)).toEqual(["out"]);
  });

  test.each([
    ["a symbolic link to a folder", async (path: string) => await symlink("elsewhere", path), "a symbolic link"],
    ["a file", async (path: string) => await writeFile(path, "text"), "a file"],
  ])("F-01 layoutFolderTarget() refuses %s", async (_what, make, found) => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    await mkdir(join(above, "elsewhere"));
    await make(join(above, "out"));
    await expect(write(join(above, "out"), source, root)).rejects.toThrow(`found ${found}`);
    expect((await readdir(above)).sort()).toEqual(["elsewhere", "out"]);
    expect(await readdir(join(above, "elsewhere"))).toEqual([]);
  });

  test("layoutFolderTarget() replaces what a killed run left, and nothing else of that name", async () => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    const partial = join(above, "out.partial");
    await mkdir(join(partial, "blobs"), { recursive: true });
    await writeFile(join(partial, "blobs", "half"), "half");
    await writeFile(join(partial, "imgpack-unfinished"), "imgpack: unfinished folder\n", { mode: 0o600 });
    await write(join(above, "out"), source, root);
    expect(await readdir(above)).toEqual(["out"]);
    await mkdir(join(above, "two.partial"));
    await writeFile(join(above, "two.partial", "diary"), "dear");
    await expect(write(join(above, "two"), source, root)).rejects.toThrow("found something else than a partial folder");
    expect(await readdir(join(above, "two.partial"))).toEqual(["diary"]);
  });

  test("layoutFolderTarget() leaves a layout of the user that is named out.partial", async () => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    await mkdir(join(above, "out.partial", "blobs", "sha256"), { recursive: true });
    const files = ["oci-layout", "index.json", `blobs/sha256/${"ab".repeat(32)}`];
    for (const name of files) await writeFile(join(above, "out.partial", name), "mine");
    await expect(write(join(above, "out"), source, root)).rejects.toThrow("found something else than a partial folder");
    expect(await readdir(above)).toEqual(["out.partial"]);
    for (const name of files) expect(await readFile(join(above, "out.partial", name), "utf8")).toBe("mine");
  });

  test("F-01 layoutFolderTarget() does not follow a link that stands for its partial folder", async () => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    await mkdir(join(above, "elsewhere"));
    await symlink("elsewhere", join(above, "out.partial"));
    await expect(write(join(above, "out"), source, root)).rejects.toThrow(StorageError);
    expect(await readdir(join(above, "elsewhere"))).toEqual([]);
  });

  test("layoutFolderTarget() keeps what is whole, and no more, when a blob is not what its digest says", async () => {
    const above = await temporaryFolder();
    const source = memorySource();
    const layer = source.add(OCI_LAYER_GZIP, "layer");
    source.addBlob(layer, partsBlob(Buffer.from("liar!"), 2));
    const root = settledRoot(addImage(source, "app", { layers: [layer] }));
    await expect(write(join(above, "out"), source, root, 1)).rejects.toThrow(IntegrityError);
    expect(await readdir(above)).toEqual(["out.partial"]);
    for (const name of await readdir(join(above, "out.partial", "blobs", "sha256")))
      expect(sha256Of(await readFile(join(above, "out.partial", "blobs", "sha256", name)))).toBe(`sha256:${name}`);
  });

  test("layoutFolderTarget() leaves nothing when no blob came whole", async () => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    const plan = await gather(source, [root]);
    for (const blob of plan.blobs) source.addBlob(blob, partsBlob(Buffer.from("liar"), 2));
    await expect(write(join(above, "out"), source, root)).rejects.toThrow(IntegrityError);
    expect(await readdir(above)).toEqual([]);
  });

  test("layoutFolderTarget() keeps what is whole when the run is stopped while a blob comes", async () => {
    const above = await temporaryFolder();
    const source = memorySource();
    const layer = source.add(OCI_LAYER_GZIP, "layer");
    source.addBlob(layer, partsBlob(Buffer.from("lay"), 1, { stalls: true }));
    const root = settledRoot(addImage(source, "app", { layers: [layer] }));
    const stop = new AbortController();
    const copying = copyImages({
      plan: await gather(source, [root]),
      source,
      target: layoutFolderTarget(join(above, "out"), { platform }),
      sourceName: "memory",
      cache: await openDigestCache(undefined),
      pace: fixedPace(1),
      // The config is whole then, and the layer under way.
      onProgress: ({ kind }) => void (kind === "done" && setImmediate(() => stop.abort(new Error("stopped")))),
      signal: stop.signal,
    });
    await expect(copying).rejects.toThrow("stopped");
    expect(await readdir(above)).toEqual(["out.partial"]);
    expect(await readdir(join(above, "out.partial", "blobs", "sha256"))).toHaveLength(2);
  });

  test("layoutFolderTarget() is not finished without all of its blobs", async () => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    {
      await using session = await layoutFolderTarget(join(above, "out"), { platform }).begin(
        await gather(source, [root]),
      );
      await expect(session.commit([])).rejects.toThrow(InternalError);
    }
    expect(await readdir(above)).toEqual([]);
  });

  test("layoutFolderTarget() gives way to a folder that was filled meanwhile", async () => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    const plan = await gather(source, [root]);
    const path = join(above, "out");
    {
      await using session = await layoutFolderTarget(path, { platform }).begin(plan);
      for (const blob of plan.blobs) await session.put(blob, await source.blob(blob));
      await mkdir(path);
      await writeFile(join(path, "mine"), "mine");
      await expect(session.commit([])).rejects.toThrow("found 1 entry in it");
    }
    expect((await readdir(above)).sort()).toEqual(["out", "out.partial"]);
    expect(await readdir(path)).toEqual(["mine"]);
  });

  test.skipIf(process.getuid?.() === 0)("layoutFolderTarget() says that it may not write there", async () => {
    const above = await temporaryFolder();
    const { source, root } = scene();
    chmodSync(above, 0o500);
    await expect(write(join(above, "out"), source, root)).rejects.toThrow("permission denied");
  });
});
