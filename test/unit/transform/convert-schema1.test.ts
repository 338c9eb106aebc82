import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Root } from "../../../src/content/contracts.ts";
import { readBlob } from "../../../src/content/pump.ts";
import { type Descriptor, describeBytes } from "../../../src/oci/descriptor.ts";
import { parseManifest } from "../../../src/oci/manifest.ts";
import { DOCKER_LAYER, DOCKER_LAYER_GZIP, DOCKER_MANIFEST, DOCKER_SCHEMA1 } from "../../../src/oci/media-types.ts";
import { type Converted, convertSchema1 } from "../../../src/transform/convert-schema1.ts";
import { addImage, type MemorySource, memorySource } from "../../support/memory-image.ts";
import { sha256 } from "../../support/memory-registry.ts";
import { type Schema1Step, schema1Bytes, schema1Document } from "../../support/schema1-images.ts";
import { tarArchive, tarEntry } from "../../support/tar-builder.ts";

const TARS = ["one", "two"].map(name => Buffer.from(tarArchive([tarEntry({ name, body: name })])));
const [ONE = Buffer.alloc(0), TWO = Buffer.alloc(0)] = TARS;

function addSchema1(source: MemorySource, steps: readonly Schema1Step[]): Descriptor {
  return source.add(DOCKER_SCHEMA1, schema1Bytes(schema1Document(steps)));
}

function settled(descriptor: Descriptor, ...names: readonly string[]): Root {
  return { kind: "settled", names, descriptor };
}

async function convert(
  source: MemorySource,
  roots: readonly Root[],
): Promise<Converted<Root> & { readonly notes: readonly string[] }> {
  const notes: string[] = [];
  const converted = await convertSchema1(source, roots, { onNote: note => notes.push(note) });
  return { ...converted, notes };
}

async function jsonOf(converted: Converted<Root>, descriptor: Descriptor | undefined): Promise<Buffer> {
  if (descriptor === undefined) throw new Error("no descriptor");
  return Buffer.from(await readBlob(await converted.source.blob(descriptor), 1_000_000));
}

describe("convertSchema1()", () => {
  test("convertSchema1() makes a schema 2 image of the same blobs, each read once", async () => {
    const source = memorySource();
    const [gzip, raw] = [source.add(DOCKER_LAYER_GZIP, gzipSync(ONE)), source.add(DOCKER_LAYER, TWO)];
    const root = addSchema1(source, [{ layer: gzip.digest }, { isThrowaway: true }, { layer: raw.digest }]);
    const other = addSchema1(source, [{ layer: gzip.digest }]);
    const converted = await convert(source, [settled(root, "a:1"), settled(other, "b:1")]);
    const [first, second] = converted.roots;
    if (first?.kind !== "settled" || second?.kind !== "settled") throw new Error("no root");
    expect(first.names).toEqual(["a:1"]);
    expect(first.descriptor.mediaType).toBe(DOCKER_MANIFEST);
    const bytes = await jsonOf(converted, first.descriptor);
    expect(describeBytes(DOCKER_MANIFEST, bytes)).toEqual(first.descriptor);
    const view = parseManifest(bytes, { where: "t" });
    if (view.kind !== "image") throw new Error("no image");
    expect(view.layers).toEqual([
      { mediaType: DOCKER_LAYER_GZIP, digest: gzip.digest, size: gzip.size },
      { mediaType: DOCKER_LAYER, digest: raw.digest, size: raw.size },
    ]);
    const config = await jsonOf(converted, view.config);
    expect(sha256(config)).toBe(view.config.digest);
    expect(JSON.parse(config.toString("utf8")).rootfs.diff_ids).toEqual([sha256(ONE), sha256(TWO)]);
    expect(source.asked.filter(digest => digest === gzip.digest)).toHaveLength(1);
    expect(converted.notes).toEqual([
      expect.stringMatching(/^a:1 is of schema 1, and becomes schema 2: 2 layers are read twice/),
      "b:1 is of schema 1, and becomes schema 2",
    ]);
    // The layers themselves still come from the source.
    expect(gunzipSync(await jsonOf(converted, gzip)).equals(ONE)).toBe(true);
  });

  test("convertSchema1() leaves other images, and a source without schema 1, as they are", async () => {
    const source = memorySource();
    const image = settled(addImage(source, "app"), "app:1");
    expect((await convert(source, [image])).source).toBe(source);
    const layer = source.add(DOCKER_LAYER_GZIP, gzipSync(ONE));
    const { roots } = await convert(source, [image, settled(addSchema1(source, [{ layer: layer.digest }]))]);
    expect(roots[0]).toBe(image);
  });

  test("convertSchema1() refuses a layer that is not its digest", async () => {
    const source = memorySource();
    const layer = source.add(DOCKER_LAYER_GZIP, gzipSync(ONE));
    const wrong = await source.blob(source.add(DOCKER_LAYER_GZIP, gzipSync(TWO)));
    source.addBlob(layer, wrong);
    const root = settled(addSchema1(source, [{ layer: layer.digest }]));
    await expect(convert(source, [root])).rejects.toMatchObject({ code: "ERR_INTEGRITY" });
  });

  test("convertSchema1() refuses a gzip layer that is cut, and what is neither gzip nor a tar", async () => {
    const source = memorySource();
    const cut = source.add(DOCKER_LAYER_GZIP, gzipSync(ONE).subarray(0, 40));
    await expect(convert(source, [settled(addSchema1(source, [{ layer: cut.digest }]))])).rejects.toMatchObject({
      code: "ERR_ARCHIVE",
    });
    const zstd = source.add(DOCKER_LAYER_GZIP, ZSTD_EMPTY);
    await expect(convert(source, [settled(addSchema1(source, [{ layer: zstd.digest }]))])).rejects.toMatchObject({
      reason: "schema1-layer",
    });
  });

  test("convertSchema1() serves a manifest that was altered to nobody", async () => {
    const source = memorySource();
    const good = addSchema1(source, [{ isThrowaway: true }]);
    const wrong = await source.blob(addSchema1(source, [{ isThrowaway: true }, { isThrowaway: true }]));
    source.addBlob(good, wrong);
    await expect(convert(source, [settled(good)])).rejects.toMatchObject({ code: "ERR_INTEGRITY" });
  });
});

/** A frame without content (RFC 8878). */
const ZSTD_EMPTY = Buffer.from("28b52ffd2000010000", "hex");
