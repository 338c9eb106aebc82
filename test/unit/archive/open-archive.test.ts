import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { openArchive } from "../../../src/archive/open-archive.ts";
import { ArchiveError, StorageError } from "../../../src/errors.ts";
import { OCI_LAYER, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import {
  blobOf,
  configOf,
  describe,
  dockerManifest,
  layerOf,
  layoutFiles,
  makeFolder,
  manifestOf,
  openBytes,
  refusal,
  tarOf,
} from "./archive-builder.ts";

for (const [title, files, text] of [
  ["a root file system", { "etc/passwd": "root", "usr/bin/sh": "" }, "it looks like a root filesystem (etc, usr)"],
  ["one other file", { "etc/passwd": "root" }, "no manifest.json among 1 entry"],
  ["a layout in a folder", { "images/index.json": "{}" }, '"images/index.json" is in a folder, expected it at the top'],
  ["an archive in an archive", { "image.tar": "x" }, 'it contains another archive, "image.tar"'],
  ["layers of a cut archive", { "0/layer.tar": "x" }, "no manifest.json among 1 entry"],
] as const) {
  test(`openArchive() says that it found ${title}`, async () => {
    const error = await refusal(openBytes(tarOf(files)));
    expect(error).toBeInstanceOf(ArchiveError);
    expect(error).toMatchObject({ reason: "no-metadata", exitCode: 3, message: expect.stringContaining(text) });
  });
}

test.each([
  ["text", Buffer.from("\ufeffdocker save".repeat(100), "utf16le"), "it looks like UTF-16 text"],
  ["compressed text", gzipSync("hello"), "its gzip data looks like text of 5 bytes"],
])("openArchive() says that a pipe gives %s", async (_what, bytes, text) => {
  const stdin = Readable.from([bytes], { objectMode: false });
  const error = await refusal(openArchive("-", { stdin }));
  expect(error).toMatchObject({ reason: "not-a-tar", message: expect.stringContaining(text) });
});

test("openArchive() refuses a layout of another version", async () => {
  const files = { "oci-layout": '{"imageLayoutVersion":"2.0.0"}', "index.json": "{}" };
  expect(await refusal(openBytes(tarOf(files)))).toMatchObject({ reason: "layout-version" });
});

test("openArchive() refuses an archive that is compressed twice", async () => {
  const error = await refusal(openBytes(gzipSync(gzipSync(tarOf({ a: "b" })))));
  expect(error).toMatchObject({ exitCode: 3, message: expect.stringContaining("gzip") });
});

test("openArchive() names files of almost the same name when there is none", async () => {
  const folder = await makeFolder();
  await writeFile(join(folder, "hello.tar.gz"), "");
  const error = await refusal(openArchive(join(folder, "hello.tar")));
  expect(error).toBeInstanceOf(StorageError);
  expect(error.message).toMatch(/no such file, expected an image archive$/);
  expect(error.hint).toBe(`Did you mean "${join(folder, "hello.tar.gz")}"?`);
});

test("openArchive() refuses a folder that holds no image", async () => {
  const error = await refusal(openArchive(await makeFolder()));
  expect(error).toMatchObject({ reason: "no-metadata", message: expect.stringContaining("folder") });
});

test("openArchive() notes that an archive has no end marker, and reads it", async () => {
  const layer = layerOf("x");
  const config = configOf([layer]);
  const notes: string[] = [];
  const bytes = tarOf({
    "c.json": config.bytes,
    "layer.tar": layer.bytes,
    ...dockerManifest({ Config: "c.json", RepoTags: ["app:1"], Layers: ["layer.tar"] }),
  });
  const archive = await openBytes(bytes.subarray(0, -1024), { onNote: note => notes.push(note) });
  expect(archive.images).toHaveLength(1);
  expect(notes).toEqual([expect.stringContaining("app.tar")]);
});

test("openArchive() reads an archive whose manifest.json lists an artifact as an image, as other writers do", async () => {
  const layer = layerOf("x");
  const config = configOf([layer]);
  const app = manifestOf(config, [layer], OCI_LAYER);
  const empty = blobOf("{}");
  const chart = manifestOf(empty, [layer], "application/vnd.cncf.helm.chart.content.v1+tar");
  const name = (text: string): object => ({ annotations: { "io.containerd.image.name": `r.lan/${text}` } });
  const roots = [describe(app, OCI_MANIFEST, name("app:1")), describe(chart, OCI_MANIFEST, name("chart:1"))];
  const list = dockerManifest(
    { Config: `blobs/sha256/${config.hex}`, RepoTags: ["r.lan/app:1"], Layers: [`blobs/sha256/${layer.hex}`] },
    { Config: `blobs/sha256/${empty.hex}`, RepoTags: ["r.lan/chart:1"], Layers: [`blobs/sha256/${layer.hex}`] },
  );
  const archive = await openBytes(tarOf({ ...layoutFiles(roots, [app, chart, config, empty, layer]), ...list }));
  expect(archive.images.map(({ names }) => names)).toEqual([["r.lan/app:1"], ["r.lan/chart:1"]]);
  expect(archive.docker?.artifacts).toBe(1);
});
