import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ArchiveError, IntegrityError } from "../../../../src/errors.ts";
import { DOCKER_LAYER, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import {
  annotated,
  blobOf,
  configOf,
  describe,
  dockerManifest,
  indexOf,
  layerOf,
  layoutFiles,
  manifestOf,
  openFiles,
  refusal,
  summary,
} from "../archive-builder.ts";

const raw = layerOf("content");
const layer = blobOf(gzipSync(raw.bytes));
const config = configOf([raw]);
const manifest = manifestOf(config, [layer]);
const otherConfig = configOf([raw], { architecture: "arm64" });
const otherManifest = manifestOf(otherConfig, [layer]);
const name = "docker.io/library/app:1.0";
const named = describe(manifest, OCI_MANIFEST, annotated(name));
const both = [config, layer, manifest];

function image(config: { readonly hex: string }, tags: readonly string[] | null, path = layer.hex): object {
  return { Config: `blobs/sha256/${config.hex}`, RepoTags: tags, Layers: [`blobs/sha256/${path}`] };
}

/** Docker 25 and newer, classic store: raw layers under their diff_ids, and an OCI manifest of its own over them. */
const classicManifest = manifestOf(config, [raw], OCI_LAYER);
const classicImage = {
  ...image(config, ["app:1.0"], raw.hex),
  LayerSources: { [raw.digest]: describe(raw, DOCKER_LAYER) },
};

test("reconcileViews() takes the manifest of the OCI view where both views lead to one image", async () => {
  const archive = await openFiles({ ...layoutFiles([named], both), ...dockerManifest(image(config, ["app:1.0"])) });
  expect(archive.images.map(summary)).toEqual([{ names: [name], manifest: manifest.digest }]);
});

test("reconcileViews() does not look at layers of the docker view where the OCI view has the image", async () => {
  const dangling = { ...image(config, ["app:1.0"]), Layers: ["not/there.tar"] };
  const archive = await openFiles({ ...layoutFiles([named], both), ...dockerManifest(dangling) });
  expect(archive.images.map(summary)).toEqual([{ names: [name], manifest: manifest.digest }]);
});

for (const [title, entry] of [
  ["a full name", named],
  ["only a tag", describe(manifest, OCI_MANIFEST, { annotations: { "org.opencontainers.image.ref.name": "1.0" } })],
] as const) {
  for (const header of ["with", "without"]) {
    test(`reconcileViews() refuses two views that contradict, index.json with ${title}, ${header} oci-layout (M-16)`, async () => {
      const { "oci-layout": layout, ...index } = layoutFiles([entry], [...both, otherConfig]);
      const files = {
        ...(header === "with" && layout !== undefined ? { "oci-layout": layout } : {}),
        ...index,
        ...dockerManifest(image(otherConfig, ["app:1.0"])),
      };
      const error = await refusal(openFiles(files));
      expect(error).toBeInstanceOf(ArchiveError);
      expect(error.reason).toBe("two-views");
      expect(error.message).toContain(otherConfig.digest);
      expect(error.message).toContain(config.digest);
    });
  }
}

test("reconcileViews() refuses one config with two layer counts in the two views", async () => {
  const longer = manifestOf(config, [layer, blobOf("more")]);
  const files = {
    ...layoutFiles([describe(longer, OCI_MANIFEST, annotated(name))], [...both, longer]),
    ...dockerManifest(image(config, ["app:1.0"])),
  };
  const error = await refusal(openFiles(files));
  expect(error.reason).toBe("two-views");
  expect(error.message).toContain("1 layers in manifest.json and 2 in index.json");
});

test("reconcileViews() refuses a name that one view gives to two images", async () => {
  const blobs = [...both, otherConfig, otherManifest];
  const layout = layoutFiles([named, describe(otherManifest, OCI_MANIFEST, annotated(name))], blobs);
  expect(await refusal(openFiles(layout))).toMatchObject({
    reason: "two-images",
    message: expect.stringContaining("in index.json"),
  });
  const docker = dockerManifest(image(config, ["app:1.0"]), image(otherConfig, ["app:1.0"]));
  expect(await refusal(openFiles({ ...layoutFiles([], blobs), ...docker }))).toMatchObject({
    reason: "two-images",
    message: expect.stringContaining("in manifest.json"),
  });
});

test("reconcileViews() rebuilds images of docker's classic store from manifest.json, with the names of both views", async () => {
  const archive = await openFiles({
    ...layoutFiles(
      [
        describe(classicManifest, OCI_MANIFEST, annotated(name)),
        describe(classicManifest, OCI_MANIFEST, annotated("docker.io/library/app:extra")),
      ],
      [config, raw, classicManifest],
    ),
    ...dockerManifest(classicImage),
  });
  expect(archive.images.map(summary)).toEqual([
    { names: [name, "docker.io/library/app:extra"], config: config.digest, layers: [raw.digest] },
  ]);
});

test("reconcileViews() keeps an image that stands only in the index of a classic archive", async () => {
  const archive = await openFiles({
    ...layoutFiles(
      [describe(otherManifest, OCI_MANIFEST, annotated("registry.lan/other:1"))],
      [config, raw, otherConfig, otherManifest, layer],
    ),
    ...dockerManifest(classicImage),
  });
  expect(archive.images.map(summary)).toEqual([
    { names: ["registry.lan/other:1"], manifest: otherManifest.digest },
    { names: [name], config: config.digest, layers: [raw.digest] },
  ]);
});

test("reconcileViews() adds an untagged image that index.json lacks because it came after a tagged one (B03)", async () => {
  const archive = await openFiles({
    ...layoutFiles([named], [...both, otherConfig]),
    ...dockerManifest(image(config, ["app:1.0"]), image(otherConfig, null)),
  });
  expect(archive.images.map(summary)).toEqual([
    { names: [name], manifest: manifest.digest },
    { names: [], config: otherConfig.digest, layers: [layer.digest] },
  ]);
});

test("reconcileViews() unites names that stand in only one of the views", async () => {
  const archive = await openFiles({
    ...layoutFiles([named], both),
    ...dockerManifest(image(config, ["team/app:2.0"])),
  });
  expect(archive.images.map(summary)).toEqual([{ names: [name, "docker.io/team/app:2.0"], manifest: manifest.digest }]);
});

test("reconcileViews() accepts an index whose other platforms are absent", async () => {
  const index = indexOf([
    describe(manifest, OCI_MANIFEST, { platform: { os: "linux", architecture: "amd64" } }),
    describe(otherManifest, OCI_MANIFEST, { platform: { os: "linux", architecture: "arm64" } }),
  ]);
  const archive = await openFiles({
    ...layoutFiles([describe(index, OCI_INDEX, annotated(name))], [...both, index]),
    ...dockerManifest(image(config, ["app:1.0"])),
  });
  expect(archive.images.map(summary)).toEqual([{ names: [name], manifest: index.digest }]);
  const child = { mediaType: OCI_MANIFEST, digest: otherManifest.digest, size: otherManifest.bytes.length };
  await expect(archive.blob(child)).rejects.toMatchObject({ reason: "missing-blob" });
});

test("reconcileViews() gives a docker-only name to the image itself, not to the index above it", async () => {
  const index = indexOf([describe(manifest, OCI_MANIFEST), describe(otherManifest, OCI_MANIFEST)]);
  const archive = await openFiles({
    ...layoutFiles(
      [describe(index, OCI_INDEX, annotated(name)), describe(manifest, OCI_MANIFEST)],
      [...both, otherConfig, otherManifest, index],
    ),
    ...dockerManifest(image(config, ["app:1.0", "app:amd64"])),
  });
  expect(archive.images.map(summary)).toEqual([
    { names: [name], manifest: index.digest },
    { names: ["docker.io/library/app:amd64"], manifest: manifest.digest },
  ]);
});

test("reconcileViews() refuses a manifest that is not what its digest says, naming it", async () => {
  const altered = blobOf(Buffer.from(manifest.bytes).fill(" ", manifest.bytes.length - 1));
  const files = { ...layoutFiles([named], both), [`blobs/sha256/${manifest.hex}`]: altered.bytes };
  const error = await refusal(openFiles(files));
  expect(error).toBeInstanceOf(IntegrityError);
  expect(error.message).toContain(`found ${altered.digest}`);
  expect(error.message).toContain(`expected ${manifest.digest}`);
});

test("reconcileViews() overlooks an index.json beside manifest.json that is no index", async () => {
  const archive = await openFiles({
    "c.json": config.bytes,
    "layer.tar": raw.bytes,
    "index.json": '["an extra file"]',
    ...dockerManifest({ Config: "c.json", RepoTags: ["app:1.0"], Layers: ["layer.tar"] }),
  });
  expect(archive.images.map(summary)).toEqual([{ names: [name], config: config.digest, layers: [raw.digest] }]);
});

test("reconcileViews() refuses a tag that one view has with a digest and the other with another image", async () => {
  const { digest } = manifest;
  const pinned = describe(manifest, OCI_MANIFEST, annotated(`${name}@${digest}`));
  const files = {
    ...layoutFiles([pinned], [...both, otherConfig]),
    ...dockerManifest(image(otherConfig, ["app:1.0"])),
  };
  expect(await refusal(openFiles(files))).toMatchObject({ reason: "two-views" });
  const agreed = await openFiles({ ...layoutFiles([pinned], both), ...dockerManifest(image(config, ["app:1.0"])) });
  expect(agreed.images.map(summary)).toEqual([{ names: [`${name}@${digest}`], manifest: manifest.digest }]);
});
