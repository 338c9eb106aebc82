import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { gzipProfile } from "../../../src/compress/gzip/gzip-profile.ts";
import { CHUNK_BYTES, sharedChunks } from "../../../src/content/chunks/chunks.ts";
import type { ImageSource, PendingBlob, Root } from "../../../src/content/contracts.ts";
import { IntegrityError, InternalError } from "../../../src/errors.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import {
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
} from "../../../src/oci/media-types.ts";
import { compressLayers } from "../../../src/transform/compress-layers.ts";
import { collect, noise, partsBlob, sha256Of, turns } from "../../support/memory-blobs.ts";
import { addImage, addIndex, layerDraft, memorySource, settledRoot } from "../../support/memory-image.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

async function onlyRoot(source: ImageSource): Promise<Root> {
  const roots: Root[] = [];
  for await (const root of compressLayers(source, gzipProfile()).roots()) roots.push(root);
  const [root] = roots;
  if (root === undefined || roots.length > 1) throw new Error(`${roots.length} roots`);
  return root;
}

async function layersOf(source: ImageSource): Promise<readonly (Descriptor | PendingBlob)[]> {
  const root = await onlyRoot(source);
  return root.kind === "draft" ? root.draft.layers : [];
}

async function pendingOf(source: ImageSource): Promise<PendingBlob> {
  for (const layer of await layersOf(source)) if ("key" in layer) return layer;
  throw new Error("no layer waits for its digest");
}

describe("compressLayers()", () => {
  test.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])(
    "seals a layer of %i bytes with the digest of what it sent",
    async size => {
      const bytes = noise(size);
      const read: number[] = [];
      const pending = await pendingOf(layerDraft(sha256Of(bytes), partsBlob(bytes, 65_536)));
      const stream = await pending.open(undefined, count => read.push(count));
      const sent = await collect(stream.body);
      expect(gunzipSync(sent).equals(bytes)).toBe(true);
      expect(stream.seal()).toEqual({
        descriptor: { mediaType: OCI_LAYER_GZIP, digest: sha256Of(sent), size: sent.length },
        diffId: sha256Of(bytes),
      });
      expect(read.reduce((sum, count) => sum + count, 0)).toBe(size);
    },
  );

  test("makes the same bytes of a layer every time it is opened", async () => {
    const bytes = noise(2 * CHUNK_BYTES + 7);
    const pending = await pendingOf(layerDraft(sha256Of(bytes), partsBlob(bytes, 65_536)));
    const [first, second] = await Promise.all([pending.open(), pending.open()]);
    const [sent, again] = await Promise.all([collect(first.body), collect(second.body)]);
    expect(sha256Of(sent)).toBe(sha256Of(again));
  });

  test.each([10, 2 * CHUNK_BYTES])(
    "names both diff_ids when a layer of %i bytes is not what the config says",
    async size => {
      const wanted = sha256Of(noise(3));
      const bytes = noise(size);
      const pending = await pendingOf(layerDraft(wanted, partsBlob(bytes, 65_536)));
      const stream = await pending.open();
      const failed = collect(stream.body);
      await expect(failed).rejects.toThrow(IntegrityError);
      await expect(failed).rejects.toThrow(`diff_id is ${sha256Of(bytes)}, expected ${wanted}`);
      expect(() => stream.seal()).toThrow(InternalError);
    },
  );

  test("has no seal before the last byte was taken", async () => {
    const bytes = noise(2 * CHUNK_BYTES);
    const pending = await pendingOf(layerDraft(sha256Of(bytes), partsBlob(bytes, 65_536)));
    const stream = await pending.open();
    await stream.body.next();
    expect(() => stream.seal()).toThrow("its end was not reached");
    await stream.body.return();
  });

  test("ends with the reason when the signal aborts in mid-layer", async () => {
    const bytes = noise(3 * CHUNK_BYTES);
    const stop = new AbortController();
    const pending = await pendingOf(layerDraft(sha256Of(bytes), partsBlob(bytes, 65_536, { stalls: true })));
    const stream = await pending.open(stop.signal);
    const failed = expect(collect(stream.body)).rejects.toThrow("interrupted");
    await turns(20);
    stop.abort(new Error("interrupted"));
    await failed;
  });

  test("throws what broke the source", async () => {
    const bytes = noise(2 * CHUNK_BYTES);
    const blob = partsBlob(bytes, 65_536, { breaksWith: new Error("disk unplugged") });
    const pending = await pendingOf(layerDraft(sha256Of(bytes), blob));
    await expect(collect((await pending.open()).body)).rejects.toThrow("disk unplugged");
  });

  test("names the diff_id and the profile in a layer's key, which the digest cache uses", async () => {
    const bytes = noise(5);
    const pending = await pendingOf(layerDraft(sha256Of(bytes), partsBlob(bytes, 5)));
    expect(pending.key).toBe(`pending:${sha256Of(bytes)}+${gzipProfile().name}`);
    expect(pending.sourceBytes).toBe(5);
  });

  test.each([
    [OCI_LAYER, OCI_LAYER_GZIP],
    [DOCKER_LAYER, DOCKER_LAYER_GZIP],
  ])("turns a settled image with %s layers into a draft", async (raw, compressed) => {
    const source = memorySource();
    const ready = source.add(OCI_LAYER_GZIP, "compressed already");
    const zstd = source.add(OCI_LAYER_ZSTD, "and with zstd");
    const layer = source.add(raw, "raw");
    const image = addImage(source, "app", { layers: [ready, layer, zstd] });
    const root = await onlyRoot({ ...source, roots: memorySource([settledRoot(image, "1.4")]).roots });
    expect(root).toMatchObject({ kind: "draft", names: ["1.4"], draft: { mediaType: image.mediaType } });
    const layers = root.kind === "draft" ? root.draft.layers : [];
    expect([layers[0], layers[2]]).toEqual([ready, zstd]);
    expect(layers[1]).toMatchObject({ mediaType: compressed, sourceBytes: 3 });
  });

  const untouched: readonly (readonly [string, Parameters<typeof addImage>[2]])[] = [
    ["with compressed layers", {}],
    ["that is an artifact by its config", { configType: "application/vnd.oci.empty.v1+json" }],
    ["that is an artifact by its type", { extra: { artifactType: "application/vnd.example" } }],
    ["that refers to another", { extra: { subject: { mediaType: "a/b", digest: sha256Of(noise(1)), size: 1 } } }],
  ];
  test.each(untouched)("leaves an image %s as it is", async (_what, parts = {}) => {
    const source = memorySource();
    const layers = [source.add(Object.keys(parts).length === 0 ? OCI_LAYER_GZIP : OCI_LAYER, "a layer")];
    const root = settledRoot(addImage(source, "app", { layers, ...parts }), "1.4");
    expect(await onlyRoot({ ...source, roots: memorySource([root]).roots })).toEqual(root);
  });

  test("leaves an index as it is", async () => {
    const source = memorySource();
    const image = addImage(source, "app", { layers: [source.add(OCI_LAYER, "raw")] });
    const root = settledRoot(addIndex(source, [image]), "1.4");
    expect(await onlyRoot({ ...source, roots: memorySource([root]).roots })).toEqual(root);
  });
});
