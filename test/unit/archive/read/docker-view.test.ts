import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readBlob } from "../../../../src/content/pump.ts";
import { verified } from "../../../../src/content/verified.ts";
import { ArchiveError, IntegrityError } from "../../../../src/errors.ts";
import {
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_XZ,
  DOCKER_LAYER_ZSTD,
  OCI_MANIFEST,
} from "../../../../src/oci/media-types.ts";
import { blobOf, configOf, dockerManifest, layerOf, openFiles, refusal, summary } from "../archive-builder.ts";

const base = layerOf("base");
const top = layerOf("top");
const config = configOf([base, top]);
const idA = "a".repeat(64);
const idB = "b".repeat(64);

test("readDockerView() reads docker 1.10's form with a shared layer behind a symlink that points forward", async () => {
  const baseConfig = configOf([base]);
  const archive = await openFiles({
    [`${idA}/layer.tar`]: { symlink: `../${idB}/layer.tar` },
    [`${idA}/VERSION`]: "1.0",
    [`${baseConfig.hex}.json`]: baseConfig.bytes,
    [`${config.hex}.json`]: config.bytes,
    [`${idB}/layer.tar`]: base.bytes,
    "top/layer.tar": top.bytes,
    ...dockerManifest(
      { Config: `${config.hex}.json`, RepoTags: ["app:1.0"], Layers: [`${idA}/layer.tar`, "top/layer.tar"] },
      { Config: `${baseConfig.hex}.json`, RepoTags: ["base:1.0"], Layers: [`${idB}/layer.tar`] },
    ),
    repositories: "{}",
  });
  expect(archive.images.map(summary)).toEqual([
    { names: ["docker.io/library/app:1.0"], config: config.digest, layers: [base.digest, top.digest] },
    { names: ["docker.io/library/base:1.0"], config: baseConfig.digest, layers: [base.digest] },
  ]);
  const layer = { mediaType: DOCKER_LAYER, digest: base.digest, size: base.bytes.length };
  expect(await readBlob(verified(layer, await archive.blob(layer), "test"), 10_000)).toEqual(base.bytes);
});

test("readDockerView() takes a layer that repeats under one path for one blob", async () => {
  const twice = configOf([base, top, base]);
  const archive = await openFiles({
    "c.json": twice.bytes,
    "base.tar": base.bytes,
    "top.tar": top.bytes,
    ...dockerManifest({ Config: "c.json", RepoTags: null, Layers: ["base.tar", "top.tar", "base.tar"] }),
  });
  expect(archive.images.map(summary)).toEqual([
    { names: [], config: twice.digest, layers: [base.digest, top.digest, base.digest] },
  ]);
});

test("readDockerView() refuses one entry for two diff_ids", async () => {
  const files = {
    "c.json": config.bytes,
    "base.tar": base.bytes,
    "again.tar": { symlink: "base.tar" },
    ...dockerManifest({ Config: "c.json", RepoTags: ["app:1"], Layers: ["base.tar", "again.tar"] }),
  };
  const error = await refusal(openFiles(files));
  expect(error).toBeInstanceOf(ArchiveError);
  expect(error.reason).toBe("layer-twice");
  expect(error.message).toContain(`one entry for diff_ids ${base.digest} and ${top.digest}`);
});

for (const name of [`${idA}.json`, `sha256:${idA}`, `blobs/sha256/${idA}`]) {
  test(`readDockerView() refuses a config whose content is not what its name says: ${name.slice(0, 20)}… (M-15)`, async () => {
    const files = {
      [name]: config.bytes,
      "base.tar": base.bytes,
      "top.tar": top.bytes,
      ...dockerManifest({ Config: name, RepoTags: ["app:1"], Layers: ["base.tar", "top.tar"] }),
    };
    const error = await refusal(openFiles(files));
    expect(error).toBeInstanceOf(IntegrityError);
    expect(error.message).toContain(`found ${config.digest}, expected sha256:${idA} as in its name`);
  });
}

test("readDockerView() reads crane's form without hashing layers whose names tell their digests", async () => {
  const gzip = blobOf(gzipSync(base.bytes));
  const one = configOf([base]);
  const archive = await openFiles({
    [`sha256:${one.hex}`]: one.bytes,
    // The content is another one: only a reader that trusts the name until it reads can open this.
    [`${gzip.hex}.tar.gz`]: gzipSync("altered"),
    ...dockerManifest({ Config: `sha256:${one.hex}`, RepoTags: ["app:1"], Layers: [`${gzip.hex}.tar.gz`] }),
  });
  expect(archive.images.map(summary)).toEqual([
    { names: ["docker.io/library/app:1"], config: one.digest, layers: [gzip.digest] },
  ]);
  const layer = { mediaType: DOCKER_LAYER_GZIP, digest: gzip.digest, size: gzipSync("altered").length };
  const reading = readBlob(verified(layer, await archive.blob(layer), "test"), 10_000);
  await expect(reading).rejects.toThrow(`expected ${gzip.digest}`);
});

for (const [title, path] of [
  ["says nothing", "base/layer.tar"],
  ["repeats the diff_id", `${base.hex}.tar.gz`],
]) {
  test(`readDockerView() hashes a gzip layer whose name ${title}`, async () => {
    const gzip = blobOf(gzipSync(base.bytes));
    const one = configOf([base]);
    const archive = await openFiles({
      [`sha256:${one.hex}`]: one.bytes,
      [path ?? ""]: gzip.bytes,
      ...dockerManifest({ Config: `sha256:${one.hex}`, RepoTags: ["app:1"], Layers: [path] }),
    });
    expect(archive.images).toMatchObject([
      { draft: { layers: [{ mediaType: DOCKER_LAYER_GZIP, digest: gzip.digest, size: gzip.bytes.length }] } },
    ]);
  });
}

test("readDockerView() gives an image with a zstd layer an OCI manifest", async () => {
  const zstd = blobOf(Buffer.from("28b52ffd200000", "hex"));
  const one = configOf([base]);
  const archive = await openFiles({
    "c.json": one.bytes,
    "base.tar": zstd.bytes,
    ...dockerManifest({ Config: "c.json", RepoTags: ["app:1"], Layers: ["base.tar"] }),
  });
  expect(archive.images).toMatchObject([
    { draft: { mediaType: OCI_MANIFEST, layers: [{ mediaType: DOCKER_LAYER_ZSTD, digest: zstd.digest }] } },
  ]);
});

test("readDockerView() tells an xz layer by its content, so that it becomes gzip on its way out", async () => {
  const one = configOf([base]);
  const files = {
    "c.json": one.bytes,
    "base.tar": Buffer.from("fd377a585a000000", "hex"),
    ...dockerManifest({ Config: "c.json", RepoTags: ["app:1"], Layers: ["base.tar"] }),
  };
  const [image] = (await openFiles(files)).images;
  expect(image).toMatchObject({ draft: { layers: [{ mediaType: DOCKER_LAYER_XZ }], diffIds: [base.digest] } });
});

test("readDockerView() lets a layer of 0 bytes through to the check of its diff_id, which fails", async () => {
  const one = configOf([base]);
  const archive = await openFiles({
    "c.json": one.bytes,
    "base.tar": "",
    ...dockerManifest({ Config: "c.json", RepoTags: ["app:1"], Layers: ["base.tar"] }),
  });
  const layer = { mediaType: DOCKER_LAYER, digest: base.digest, size: 0 };
  const reading = readBlob(verified(layer, await archive.blob(layer), "test"), 10);
  await expect(reading).rejects.toThrow(
    "found sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 (0 bytes)",
  );
});

test("readDockerView() finds entries that only the archive or only manifest.json spells with a leading ./", async () => {
  const one = configOf([base]);
  const layers = { Config: "./c.json", RepoTags: ["app:1"], Layers: ["base.tar"] };
  const archive = await openFiles({ "c.json": one.bytes, "./base.tar": base.bytes, ...dockerManifest(layers) });
  expect(archive.images.map(summary)).toEqual([
    { names: ["docker.io/library/app:1"], config: one.digest, layers: [base.digest] },
  ]);
});

for (const [title, files, reason, text] of [
  ["no image", dockerManifest(), "no-image", "manifest.json is empty"],
  [
    "fewer layers than diff_ids",
    { "c.json": config.bytes, "base.tar": "", ...dockerManifest({ Config: "c.json", Layers: ["base.tar"] }) },
    "layer-count",
    "1 layers in manifest.json, expected 2 as in its config",
  ],
  [
    "a layer that is not there",
    { "c.json": configOf([base]).bytes, ...dockerManifest({ Config: "c.json", Layers: ["base.tar"] }) },
    "missing-layer",
    'layer "base.tar" from archive',
  ],
  [
    "a config that is not there",
    dockerManifest({ Config: "c.json", Layers: [] }),
    "missing-entry",
    'Cannot read "c.json" from archive',
  ],
  [
    "a config that is a link",
    { "c.json": { symlink: "d.json" }, "d.json": config.bytes, ...dockerManifest({ Config: "c.json", Layers: [] }) },
    "metadata-link",
    'Cannot read "c.json" from archive',
  ],
  [
    "a manifest.json that is a link",
    { "manifest.json": { symlink: "m.json" }, "m.json": "[]" },
    "metadata-symlink",
    '"manifest.json"',
  ],
  [
    "a layer link that leads outside",
    {
      "c.json": configOf([base]).bytes,
      "base.tar": { symlink: "../../etc/passwd" },
      ...dockerManifest({ Config: "c.json", Layers: ["base.tar"] }),
    },
    "link-escape",
    "one that stays inside",
  ],
] as const) {
  test(`readDockerView() refuses ${title}`, async () => {
    const error = await refusal(openFiles(files));
    expect(error).toBeInstanceOf(ArchiveError);
    expect(error.exitCode).toBe(3);
    expect(error.reason).toBe(reason);
    expect(error.message).toContain(text);
  });
}

test("readDockerView() refuses two entries of one name, of which loaders take different ones", async () => {
  const files = {
    "c.json": config.bytes,
    ...dockerManifest({ Config: "c.json", Layers: [] }),
    "./c.json": configOf([base]).bytes,
  };
  expect((await refusal(openFiles(files))).reason).toMatch(/^duplicate/);
});
