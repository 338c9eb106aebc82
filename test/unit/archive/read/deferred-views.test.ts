import { gzipSync } from "node:zlib";
import { expect, describe as group, test } from "vitest";
import type { ArchiveSource } from "../../../../src/archive/open-archive.ts";
import { ArchiveError } from "../../../../src/errors.ts";
import { OCI_MANIFEST } from "../../../../src/oci/media-types.ts";
import {
  annotated,
  type Blob,
  blobOf,
  configOf,
  describe,
  dockerManifest,
  type Files,
  indexOf,
  layerOf,
  layoutFiles,
  manifestOf,
  openFiles,
  summary,
} from "../archive-builder.ts";

const raw = layerOf("content");
const layer = blobOf(gzipSync(raw.bytes));
const config = configOf([raw]);
const manifest = manifestOf(config, [layer]);
const other = configOf([raw], { architecture: "arm64" });
const otherManifest = manifestOf(other, [layer]);
const index = indexOf([describe(manifest, OCI_MANIFEST), describe(otherManifest, OCI_MANIFEST)]);
const blobs = [config, layer, manifest, other, otherManifest, index];

const nameOf = (number: number): string => `registry.lan/team/app-${number}:1.0`;
const entry = (blob: Blob, number: number): object => describe(blob, OCI_MANIFEST, annotated(nameOf(number)));
const image = (of: Blob, number: number, layers = 1): object => ({
  Config: `blobs/sha256/${of.hex}`,
  RepoTags: [nameOf(number)],
  Layers: Array.from({ length: layers }, () => `blobs/sha256/${layer.hex}`),
});

/** With the subject of a manifest that is there. */
const referrer = blobOf(
  JSON.stringify({
    ...JSON.parse(Buffer.from(otherManifest.bytes).toString()),
    subject: describe(manifest, OCI_MANIFEST),
  }),
);

type Outcome = { readonly images: readonly unknown[] } | { readonly reason: string; readonly message: string };

async function outcomeOf(open: () => Promise<ArchiveSource>): Promise<Outcome> {
  try {
    const archive = await open();
    for (const image of archive.images) await archive.checkImage?.(image);
    return { images: archive.images.map(summary) };
  } catch (error) {
    if (error instanceof ArchiveError)
      return { reason: error.reason, message: error.message.replace(/"\/[^"]*"/, "FILE") };
    throw error;
  }
}

group("an archive whose manifests are left for later is understood as any other", () => {
  const broken = blobOf('{"schemaVersion":2,"config":{},"manifests":[]}');
  const longer = manifestOf(config, [layer, layer]);
  const cases: Readonly<
    Record<string, { readonly files: Files; readonly isDeferred?: false; readonly reason?: string }>
  > = {
    "two images": {
      files: {
        ...layoutFiles([entry(manifest, 1), entry(otherManifest, 2)], blobs),
        ...dockerManifest(image(config, 1), image(other, 2)),
      },
    },
    "no manifest.json": { files: layoutFiles([entry(manifest, 1), entry(otherManifest, 2)], blobs) },
    "an image that is part of another one": {
      files: layoutFiles(
        [describe(index, "application/vnd.oci.image.index.v1+json", annotated(nameOf(1))), entry(manifest, 2)],
        blobs,
      ),
    },
    "a name that is another image in manifest.json (M-16)": {
      files: { ...layoutFiles([entry(manifest, 1)], blobs), ...dockerManifest(image(other, 1)) },
      reason: "two-views",
    },
    "names that are exchanged in manifest.json (M-16)": {
      files: {
        ...layoutFiles([entry(manifest, 1), entry(otherManifest, 2)], blobs),
        ...dockerManifest(image(other, 1), image(config, 2)),
      },
      reason: "two-views",
    },
    "a config with two numbers of layers": {
      files: { ...layoutFiles([entry(longer, 1)], [...blobs, longer]), ...dockerManifest(image(config, 1)) },
      reason: "two-views",
    },
    "the config of an image with two numbers of layers, under the name of another one": {
      files: {
        ...layoutFiles([entry(longer, 1), entry(otherManifest, 2)], [...blobs, longer]),
        ...dockerManifest(image(config, 2)),
      },
      reason: "two-views",
    },
    "another number of layers than in the config": {
      files: { ...layoutFiles([entry(manifest, 1)], blobs), ...dockerManifest(image(config, 1, 2)) },
      reason: "layer-count",
    },
    "a manifest that cannot be read": {
      files: layoutFiles([entry(broken, 1)], [...blobs, broken]),
      reason: "manifest-shape",
    },
    "one name for two images in manifest.json": {
      files: { ...layoutFiles([entry(manifest, 1)], blobs), ...dockerManifest(image(config, 1), image(other, 1)) },
      reason: "two-images",
    },
    "one name for two images in index.json": {
      files: layoutFiles([entry(manifest, 1), entry(otherManifest, 1)], blobs),
      isDeferred: false,
      reason: "two-images",
    },
    "an image in manifest.json alone": {
      files: { ...layoutFiles([entry(manifest, 1)], blobs), ...dockerManifest(image(config, 1), image(other, 2)) },
      isDeferred: false,
    },
    "a second name in manifest.json": {
      files: {
        ...layoutFiles([entry(manifest, 1)], blobs),
        ...dockerManifest({ ...image(config, 1), RepoTags: [nameOf(1), nameOf(2)] }),
      },
      isDeferred: false,
    },
    "an image without a name": { files: layoutFiles([describe(manifest, OCI_MANIFEST)], blobs), isDeferred: false },
    "an image that is not there": { files: layoutFiles([entry(manifest, 1)], [config]), isDeferred: false },
    "a tag of a referrer": {
      files: layoutFiles(
        [
          entry(manifest, 1),
          describe(otherManifest, OCI_MANIFEST, annotated(`registry.lan/team/app-1:sha256-${manifest.hex}.sig`)),
        ],
        blobs,
      ),
      isDeferred: false,
    },
  };
  test.each(Object.entries(cases))("%s", async (_, { files, isDeferred = true, reason }) => {
    const atOnce = await outcomeOf(async () => await openFiles(files));
    const deferred = await outcomeOf(async () => await openFiles(files, { deferAbove: 0 }));
    expect(deferred).toEqual(atOnce);
    expect("reason" in deferred ? deferred.reason : undefined).toBe(reason);
    if (isDeferred) expect((await openFiles(files, { deferAbove: 0 })).checkImage).toBeDefined();
    if (!isDeferred && reason === undefined)
      expect((await openFiles(files, { deferAbove: 0 })).checkImage).toBeUndefined();
  });

  test.each([
    ["plainly", referrer],
    ["with an escape", blobOf(Buffer.from(referrer.bytes).toString().replace('"subject"', '"\\u0073ubject"'))],
  ])("a named image that refers to another one %s", async (_, referring) => {
    const files = layoutFiles([entry(manifest, 1), entry(referring, 2)], [...blobs, referring]);
    const [atOnce, deferred] = [await openFiles(files), await openFiles(files, { deferAbove: 0 })];
    expect(deferred.checkImage).toBeDefined();
    const { found } = await deferred.referrers(manifest.digest);
    expect(found.map(({ descriptor }) => descriptor.digest)).toEqual([referring.digest]);
    expect(found).toEqual((await atOnce.referrers(manifest.digest)).found);
  });

  test("a damaged manifest is left to who reads it", async () => {
    const files = {
      ...layoutFiles([entry(manifest, 1)], blobs),
      [`blobs/sha256/${manifest.hex}`]: otherManifest.bytes,
    };
    const archive = await openFiles(files, { deferAbove: 0 });
    const [root] = archive.images;
    if (root === undefined) throw new Error("no image");
    await archive.checkImage?.(root);
    expect((await archive.referrers(manifest.digest)).found).toEqual([]);
  });
});
