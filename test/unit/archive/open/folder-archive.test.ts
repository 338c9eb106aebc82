import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { FolderArchive } from "../../../../src/archive/open/folder-archive.ts";
import { openArchive } from "../../../../src/archive/open-archive.ts";
import { sharedChunks } from "../../../../src/content/chunks/chunks.ts";
import { pumpBlob, readBlob } from "../../../../src/content/pump.ts";
import {
  annotated,
  blobOf,
  configOf,
  describe as describeBlob,
  type Files,
  layerOf,
  layoutFiles,
  makeFolder,
  manifestOf,
  refusal,
  summary,
} from "../archive-builder.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

const LAYER = layerOf("one");
const CONFIG = configOf([LAYER]);
const MANIFEST = manifestOf(CONFIG, [LAYER], "application/vnd.oci.image.layer.v1.tar");
const TYPE = "application/vnd.oci.image.manifest.v1+json";
const LAYOUT = layoutFiles([describeBlob(MANIFEST, TYPE, annotated("app:1"))], [LAYER, CONFIG, MANIFEST]);

async function folderOf(files: Files): Promise<string> {
  const folder = await makeFolder();
  for (const [name, body] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    if (typeof body === "object" && "symlink" in body) await symlink(body.symlink, path);
    else await writeFile(path, body);
  }
  return folder;
}

describe("FolderArchive", () => {
  test("reads an OCI layout as an archive does", async () => {
    await using archive = await openArchive(await folderOf(LAYOUT));
    expect(archive).toMatchObject({ dialect: "oci", streamed: undefined });
    expect(archive.images.map(summary)).toEqual([{ names: ["docker.io/library/app:1"], manifest: MANIFEST.digest }]);
    const blob = await archive.blob({ mediaType: TYPE, digest: LAYER.digest, size: LAYER.bytes.length });
    expect(Buffer.compare(await readBlob(blob, blob.size), LAYER.bytes)).toBe(0);
    const pumped = new Uint8Array(blob.size);
    await pumpBlob(blob, async (chunk, at) => pumped.set(chunk, at));
    expect(Buffer.compare(pumped, LAYER.bytes)).toBe(0);
  });

  test("tells digest and compression of a file", async () => {
    const folder = await folderOf({ packed: gzipSync("x"), plain: "hello", empty: "" });
    await using archive = await FolderArchive.open(folder, {});
    expect(await archive.compressionOf(archive.resolve("packed"))).toBe("gzip");
    expect(await archive.compressionOf(archive.resolve("plain"))).toBeUndefined();
    expect(await archive.compressionOf(archive.resolve("empty"))).toBeUndefined();
    expect(await archive.digest(archive.resolve("plain"))).toBe(blobOf("hello").digest);
  });

  test("follows links inside the folder, and none that lead out of it", async () => {
    const folder = await folderOf({
      "index.json": "{}",
      "a/real": "inside",
      "a/near": { symlink: "real" },
      out: { symlink: "../../etc/passwd" },
      absolute: { symlink: "/etc/passwd" },
      loop: { symlink: "loop" },
    });
    await using archive = await FolderArchive.open(folder, {});
    expect(Buffer.from(await readBlob(archive.slice(archive.resolve("a/near")), 6)).toString()).toBe("inside");
    for (const name of ["out", "absolute", "loop"]) {
      expect(() => archive.resolve(name)).toThrow(expect.objectContaining({ code: "ERR_ARCHIVE" }));
    }
  });

  test("does not follow a link that takes a file's place after the folder was looked at", async () => {
    const folder = await folderOf({ layer: "inside" });
    await using archive = await FolderArchive.open(folder, {});
    await rename(join(folder, "layer"), join(folder, "moved"));
    await symlink("/etc/passwd", join(folder, "layer"));
    expect(await refusal(readBlob(archive.slice(archive.resolve("layer")), 6))).toMatchObject({ code: "ERR_STORAGE" });
  });

  test("refuses metadata that is a link", async () => {
    const { "index.json": index = "", ...rest } = LAYOUT;
    const folder = await folderOf({ ...rest, real: index, "index.json": { symlink: "real" } });
    expect(await refusal(openArchive(folder))).toMatchObject({ reason: "metadata-link" });
  });

  test("notices a file that shrank or is gone since the folder was looked at", async () => {
    const folder = await folderOf({ shrunk: "x".repeat(1000), gone: "y" });
    await using archive = await FolderArchive.open(folder, {});
    await writeFile(join(folder, "shrunk"), "short");
    await rename(join(folder, "gone"), join(folder, "elsewhere"));
    await expect(readBlob(archive.slice(archive.resolve("shrunk")), 1000)).rejects.toMatchObject({
      code: "ERR_STORAGE",
    });
    const pumping = pumpBlob(archive.slice(archive.resolve("gone")), async () => undefined);
    expect((await refusal(pumping)).message).toContain("no such file, expected a readable file");
  });

  test("stops at folders that are no image layout", async () => {
    const deep = await folderOf({ "index.json": "{}", "1/2/3/4/5/6/7/8/9/10/file": "x" });
    expect(await refusal(openArchive(deep))).toMatchObject({ reason: "too-many-entries" });
    expect(await refusal(openArchive(await folderOf({ readme: "x" })))).toMatchObject({ reason: "no-metadata" });
  });

  test("a folder that is no archive is refused without a look at what is deep in it", async () => {
    const home = await folderOf({ "1/2/3/4/5/6/7/8/9/10/file": "x", "a/manifest.json": "{}", "b/notes": "x" });
    const { entries } = await FolderArchive.open(home, {});
    expect([...entries.keys()]).toEqual(["1", "a", "a/manifest.json", "b"]);
    expect(await refusal(openArchive(home))).toMatchObject({
      reason: "no-metadata",
      message: expect.stringContaining('"a/manifest.json" is in a folder, expected it at the top'),
    });
  });

  test("stops when its signal aborts", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(openArchive(await folderOf(LAYOUT), { signal })).rejects.toThrow("enough");
  });
});
