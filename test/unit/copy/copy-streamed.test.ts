import { afterEach, describe, expect, test } from "vitest";
import { bytesBlob } from "../../../src/content/blob.ts";
import { sharedChunks } from "../../../src/content/chunks/chunks.ts";
import type { ImageSource, StreamedBlobs } from "../../../src/content/contracts.ts";
import { oneShotBlob } from "../../../src/content/one-shot-blob.ts";
import { openDigestCache } from "../../../src/copy/digest-cache.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { OCI_LAYER, OCI_LAYER_GZIP } from "../../../src/oci/media-types.ts";
import { noise } from "../../support/memory-blobs.ts";
import { copy, draftRoots } from "../../support/memory-copy.ts";
import { addImage, type MemorySource, memorySource, settledRoot } from "../../support/memory-image.ts";
import { memoryTarget } from "../../support/memory-target.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

/** The same source, whose layers come in this order, over and over. */
function streamedSource(
  source: MemorySource,
  layers: ReadonlyMap<Digest, Uint8Array>,
): ImageSource & { readonly readings: (readonly Digest[])[] } {
  const readings: (readonly Digest[])[] = [];
  const streamed: StreamedBlobs = {
    holds: digest => !layers.has(digest),
    async read(wanted, handle, signal) {
      readings.push([...wanted].sort());
      for (const [digest, bytes] of layers) {
        if (!wanted.has(digest)) continue;
        const body = oneShotBlob(bytes.length);
        const handled = handle(digest, body.blob, signal ?? new AbortController().signal).finally(body.leave);
        handled.catch(() => undefined);
        if (await body.feed(bytes)) body.end();
        await handled;
      }
    },
  };
  return {
    ...source,
    readings,
    streamed,
    async blob(descriptor, signal) {
      if (layers.has(descriptor.digest)) throw new Error(`${descriptor.digest} is not in memory`);
      return await source.blob(descriptor, signal);
    },
  };
}

describe("copyImages() from a streamed archive", () => {
  test("copies missing blobs in one reading, and those in memory without one", async () => {
    const source = memorySource();
    const bytes = [noise(3_000_000), noise(10, 2), noise(2_000_000, 3)];
    const layers = bytes.map(each => source.add(OCI_LAYER_GZIP, each));
    const [first, there, last] = layers;
    if (first === undefined || there === undefined || last === undefined) throw new Error("no layers");
    const image = addImage(source, "x", { layers });
    const once = streamedSource(
      source,
      new Map(layers.map(({ digest }, at) => [digest, bytes[at] ?? new Uint8Array()])),
    );
    const target = memoryTarget({ present: new Map([[there.digest, "exists"]]) });
    await copy(once, [settledRoot(image, "t")], target);
    expect(once.readings).toEqual([[first.digest, last.digest].sort()]);
    expect(target.stored.get(first.digest)).toHaveLength(3_000_000);
    expect(target.log.at(-2)).toBe(`commit t@${image.digest}`);
  });

  test("needs no pass where the target has everything", async () => {
    const source = memorySource();
    const layer = source.add(OCI_LAYER_GZIP, noise(10));
    const image = addImage(source, "x", { layers: [layer] });
    const once = streamedSource(source, new Map([[layer.digest, noise(10)]]));
    await copy(once, [settledRoot(image, "t")], memoryTarget({ present: new Map([[layer.digest, "mounted"]]) }));
    expect(once.readings).toEqual([]);
  });

  test("compresses raw layers as they pass by, to what reading in place gives", async () => {
    const source = memorySource();
    const raw = noise(3_000_000);
    const layer = source.add(OCI_LAYER, raw);
    const plain = await copy(source, await draftRoots(source, [layer]), memoryTarget());
    const once = streamedSource(source, new Map([[layer.digest, raw]]));
    const streamed = await copy(once, await draftRoots(source, [layer]), memoryTarget());
    expect(streamed.roots).toEqual(plain.roots);
  });

  test("refuses a raw layer that is not what it was said to be, and commits nothing", async () => {
    const source = memorySource();
    const layer = source.add(OCI_LAYER, noise(3_000_000));
    const once = streamedSource(source, new Map([[layer.digest, noise(3_000_000, 9)]]));
    const target = memoryTarget();
    const copying = copy(once, await draftRoots(source, [layer]), target);
    await expect(copying).rejects.toMatchObject({ code: "ERR_INTEGRITY" });
    expect(target.log.filter(line => line.startsWith("commit"))).toEqual([]);
  });

  test("copies a layer that one image needs as it is and another one compressed", async () => {
    const source = memorySource();
    const raw = noise(5000);
    const layer = source.add(OCI_LAYER, raw);
    const artifact = addImage(source, "artifact", { layers: [layer], configType: "application/x.example" });
    const roots = [settledRoot(artifact, "artifact"), ...(await draftRoots(source, [layer]))];
    const once = streamedSource(source, new Map([[layer.digest, raw]]));
    const target = memoryTarget();
    await copy(once, roots, target);
    expect(target.stored.has(layer.digest)).toBe(true);
    expect(target.log.filter(line => line.startsWith("pending "))).toHaveLength(1);
    expect(target.committed).toHaveLength(2);
  });

  test("keeps in mind what it compressed", async () => {
    const source = memorySource();
    const raw = noise(5000);
    const layer = source.add(OCI_LAYER, raw);
    const roots = await draftRoots(source, [layer]);
    const cache = await openDigestCache(undefined);
    const first = memoryTarget();
    await copy(streamedSource(source, new Map([[layer.digest, raw]])), roots, first, { cache });
    const present = new Map([...first.stored.keys()].map(digest => [digest, "exists"] as const));
    const again = streamedSource(source, new Map([[layer.digest, raw]]));
    await copy(again, roots, memoryTarget({ present }), { cache });
    expect(again.readings).toEqual([]);
  });

  test("refuses a target that is written from beginning to end", async () => {
    const source = memorySource();
    const layer = source.add(OCI_LAYER_GZIP, noise(10));
    const image = addImage(source, "x", { layers: [layer] });
    const target = memoryTarget();
    const ordered = {
      ...target,
      begin: async (...args: Parameters<typeof target.begin>) => ({ ...(await target.begin(...args)), order: [] }),
    };
    const once = streamedSource(source, new Map([[layer.digest, noise(10)]]));
    await expect(copy(once, [settledRoot(image, "t")], ordered)).rejects.toMatchObject({ code: "ERR_INTERNAL" });
    expect(bytesBlob(new Uint8Array()).isOneShot).toBeUndefined();
  });
});
