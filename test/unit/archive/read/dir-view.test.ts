import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { openArchive } from "../../../../src/archive/open-archive.ts";
import { readBlob } from "../../../../src/content/pump.ts";
import { inspect } from "../../../../src/index.ts";
import {
  configOf,
  describe as describeBlob,
  indexOf,
  layerOf,
  manifestOf,
  openFiles,
  refusal,
  summary,
} from "../archive-builder.ts";

const LAYER = layerOf("one");
const CONFIG = configOf([LAYER]);
const MANIFEST = manifestOf(CONFIG, [LAYER]);
const TYPE = "application/vnd.oci.image.manifest.v1+json";

describe("dirView()", () => {
  test("finds the manifest as it is, and blobs by their digest's hex", async () => {
    const archive = await openFiles({
      version: "Directory Transport Version: 1.1\n",
      "manifest.json": MANIFEST.bytes,
      [LAYER.hex]: LAYER.bytes,
      [CONFIG.hex]: CONFIG.bytes,
    });
    expect(archive.dialect).toBe("dir");
    expect(archive.images.map(summary)).toEqual([{ names: [], manifest: MANIFEST.digest }]);
    for (const each of [LAYER, CONFIG, MANIFEST]) {
      const blob = await archive.blob({ mediaType: TYPE, digest: each.digest, size: each.bytes.length });
      expect(Buffer.compare(await readBlob(blob, blob.size), each.bytes)).toBe(0);
    }
  });

  test("finds the manifests of an index", async () => {
    const archive = await openFiles({
      version: "Directory Transport Version: 1.2\n",
      "manifest.json": indexOf([describeBlob(MANIFEST, TYPE)]).bytes,
      [`${MANIFEST.hex}.manifest.json`]: MANIFEST.bytes,
    });
    const blob = await archive.blob({ mediaType: TYPE, digest: MANIFEST.digest, size: MANIFEST.bytes.length });
    expect(Buffer.compare(await readBlob(blob, blob.size), MANIFEST.bytes)).toBe(0);
  });

  test("leaves a docker archive with an entry called version alone", async () => {
    expect(await refusal(openFiles({ version: "1", "manifest.json": "[]" }))).toMatchObject({ reason: "no-image" });
  });

  test("refuses a manifest that is none", async () => {
    expect(await refusal(openFiles({ version: "1", "manifest.json": '{"schemaVersion":1}' }))).toMatchObject({
      code: "ERR_ARCHIVE",
    });
  });
});

describe("inspect() of folders and compressed archives", () => {
  const fixtures = new URL("../../../../fixtures/", import.meta.url);
  const folders = readdirSync(new URL("dirs", fixtures));

  test.each(folders)("inspect() reads dirs/%s", async name => {
    const { images } = await inspect(fileURLToPath(new URL(`dirs/${name}`, fixtures)));
    expect(images.length).toBeGreaterThan(0);
    for (const { platforms } of images) for (const { layers } of platforms) expect(layers.length).toBeGreaterThan(0);
  });

  test.each(["hello.tar.gz", "hello.tar.xz", "hello.tar.bz2"])(
    "inspect() reads %s as the plain archive",
    async name => {
      const plain = await inspect(fileURLToPath(new URL("docker20-hello.tar", fixtures)));
      const { images, compression } = await inspect(fileURLToPath(new URL(name, fixtures)));
      expect(images).toEqual(plain.images);
      expect(compression).not.toBe("none");
    },
  );

  test("openArchive() of a compressed archive keeps its metadata only", async () => {
    await using archive = await openArchive(fileURLToPath(new URL("hello.tar.gz", fixtures)));
    const [root] = archive.images;
    if (root?.kind !== "draft") throw new Error("no draft");
    expect(archive.streamed?.holds(root.draft.config.digest)).toBe(true);
    for (const layer of root.draft.layers)
      expect("digest" in layer && archive.streamed?.holds(layer.digest)).toBe(false);
  });
});
