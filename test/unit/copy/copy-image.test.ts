import { afterEach, describe, expect, test } from "vitest";
import { bytesBlob } from "../../../src/content/blob.ts";
import { sharedChunks } from "../../../src/content/chunks/chunks.ts";
import type { BlobSource, ByteRange, CopyPlan } from "../../../src/content/contracts.ts";
import type { ProgressEvent } from "../../../src/content/progress.ts";
import { openDigestCache } from "../../../src/copy/digest-cache.ts";
import { IntegrityError, NetworkError } from "../../../src/errors.ts";
import { type Descriptor, describeBytes } from "../../../src/oci/descriptor.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { OCI_LAYER, OCI_LAYER_GZIP } from "../../../src/oci/media-types.ts";
import { noise } from "../../support/memory-blobs.ts";
import { copy, draftRoots } from "../../support/memory-copy.ts";
import { addImage, addIndex, memorySource, settledRoot } from "../../support/memory-image.ts";
import { memoryTarget } from "../../support/memory-target.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

const sumOf = (events: readonly ProgressEvent[], blob: string): number =>
  events.reduce((sum, event) => (event.kind === "bytes" && event.blob === blob ? sum + event.delta : sum), 0);

describe("copyImages()", () => {
  test("puts blobs first, then manifests children first, then commits", async () => {
    const source = memorySource();
    const [one, two] = [addImage(source, "one"), addImage(source, "two")];
    const index = addIndex(source, [one, two]);
    const target = memoryTarget();
    const { plan } = await copy(source, [settledRoot(index, "1.4")], target);
    const puts = target.log.filter(line => line.startsWith("put ")).map(line => line.slice(4));
    expect(puts).toHaveLength(7);
    expect(new Set(puts.slice(0, 4))).toEqual(new Set(plan.blobs.map(({ digest }) => digest)));
    expect(puts.slice(4)).toEqual([one.digest, two.digest, index.digest]);
    expect(target.log.slice(-2)).toEqual([`commit 1.4@${index.digest}`, "disposed"]);
  });

  test("starts with the largest blob", async () => {
    const source = memorySource();
    const layers = [10, 3000, 200].map(size => source.add(OCI_LAYER_GZIP, noise(size)));
    const target = memoryTarget();
    await copy(source, [settledRoot(addImage(source, "x", { layers }))], target, { concurrency: 1 });
    const order = target.log.filter(line => line.startsWith("has "));
    expect(order[0]).toBe(`has ${layers[1]?.digest}`);
    expect(order[1]).toBe(`has ${layers[2]?.digest}`);
  });

  test("moves a blob that several images share once", async () => {
    const source = memorySource();
    const base = source.add(OCI_LAYER_GZIP, "base");
    const images = ["a", "b", "c"].map(name => addImage(source, name, { layers: [base] }));
    const target = memoryTarget();
    await copy(
      source,
      images.map(image => settledRoot(image, "t")),
      target,
    );
    expect(target.log.filter(line => line === `put ${base.digest}`)).toHaveLength(1);
    expect(source.asked.filter(digest => digest === base.digest)).toHaveLength(1);
  });

  test("compresses a raw layer that several images share once", async () => {
    const source = memorySource();
    const base = source.add(OCI_LAYER, noise(5000));
    const target = memoryTarget();
    const { roots } = await copy(source, await draftRoots(source, [base], [base, base]), target);
    expect(target.log.filter(line => line.startsWith("pending "))).toHaveLength(1);
    expect(roots.map(({ names }) => names)).toEqual([["v0"], ["v1"]]);
    const manifest = JSON.parse(
      Buffer.from(target.stored.get(roots[1]?.descriptor.digest ?? base.digest) ?? []).toString(),
    );
    expect(manifest.layers).toHaveLength(2);
    expect(target.stored.has(manifest.layers[0].digest)).toBe(true);
  });

  test("reads nothing that the target has", async () => {
    const source = memorySource();
    const layers = [source.add(OCI_LAYER_GZIP, "here"), source.add(OCI_LAYER_GZIP, "elsewhere")];
    const image = addImage(source, "x", { layers });
    const [here, elsewhere] = layers.map(({ digest }) => digest) as [Digest, Digest];
    const target = memoryTarget({
      present: new Map([
        [here, "exists"],
        [elsewhere, "mounted"],
      ]),
    });
    const { events } = await copy(source, [settledRoot(image)], target);
    expect(source.asked).not.toContain(here);
    expect(source.asked).not.toContain(elsewhere);
    expect(events.filter(({ kind }) => kind === "skipped")).toEqual([
      { kind: "skipped", blob: elsewhere, bytes: 9, reason: "mounted" },
      { kind: "skipped", blob: here, bytes: 4, reason: "exists" },
    ]);
  });

  test("compresses nothing when the cache knows the digest and the target has it", async () => {
    const source = memorySource();
    const roots = await draftRoots(source, [source.add(OCI_LAYER, noise(5000))]);
    const cache = await openDigestCache(undefined);
    const first = memoryTarget();
    const before = await copy(source, roots, first, { cache });
    const layer = [...first.stored.keys()].find(digest => first.log.every(line => !line.endsWith(digest)));
    const second = memoryTarget({ present: new Map(layer === undefined ? [] : [[layer, "exists"]]) });
    source.asked.length = 0;
    const after = await copy(source, roots, second, { cache });
    expect(second.log).toContain(`has ${layer}`);
    expect(second.log.filter(line => line.startsWith("pending "))).toEqual([]);
    expect(source.asked).toHaveLength(1);
    expect(after.roots).toEqual(before.roots);
    expect(after.events).toContainEqual(expect.objectContaining({ kind: "skipped", bytes: 5000 }));
  });

  test("compresses again when the cache knows the digest but the target has it no more", async () => {
    const source = memorySource();
    const roots = await draftRoots(source, [source.add(OCI_LAYER, noise(5000))]);
    const cache = await openDigestCache(undefined);
    await copy(source, roots, memoryTarget(), { cache });
    const second = memoryTarget();
    await copy(source, roots, second, { cache });
    expect(second.log.filter(line => line.startsWith("pending "))).toHaveLength(1);
  });

  test.each([0, 2])("tells progress that adds up to the plan's total, with %i resends of each blob", async resends => {
    const source = memorySource();
    const raw = source.add(OCI_LAYER, noise(3_000_000));
    const ready = source.add(OCI_LAYER_GZIP, noise(1_500_000, 7));
    const held = source.add(OCI_LAYER_GZIP, "held");
    const target = memoryTarget({ resends, present: new Map([[held.digest, "exists"]]) });
    const { events, plan } = await copy(source, await draftRoots(source, [raw, ready, held]), target);
    expect(events[0]).toEqual({ kind: "planned", blobs: 4, bytes: plan.totalBytes });
    const moved = events.reduce((sum, event) => {
      if (event.kind === "bytes") return sum + event.delta;
      return event.kind === "skipped" ? sum + event.bytes : sum;
    }, 0);
    expect(moved).toBe(plan.totalBytes);
    expect(sumOf(events, ready.digest)).toBe(1_500_000);
    expect(events.at(-1)).toMatchObject({ kind: "done" });
  });
});

describe("copyImages() to a target that kept something of an earlier run", () => {
  const bytes = noise(100_000);

  /** A source with one layer, and which ranges of it were asked for. */
  const layerSource = (isOneShot = false) => {
    const source = memorySource();
    const asked: (ByteRange | undefined)[] = [];
    const descriptor = describeBytes(OCI_LAYER_GZIP, bytes);
    const blob: BlobSource = {
      size: bytes.length,
      isOneShot,
      open: async range => {
        asked.push(range);
        return await bytesBlob(bytes).open(range);
      },
    };
    const layer = source.addBlob(descriptor, blob);
    return { source, asked, layer, root: settledRoot(addImage(source, "x", { layers: [layer] })) };
  };
  /** A target that kept `prefix` of `digest`. */
  const keeping = (digest: Digest, prefix: Uint8Array | undefined) => {
    const target = memoryTarget();
    const forgotten: Digest[] = [];
    return {
      forgotten,
      stored: target.stored,
      target: {
        ...target,
        async begin(plan: CopyPlan) {
          return {
            ...(await target.begin(plan)),
            kept: (blob: Descriptor) =>
              blob.digest === digest && prefix !== undefined ? bytesBlob(prefix) : undefined,
            forget: async (blob: Descriptor) => void forgotten.push(blob.digest),
          };
        },
      },
    };
  };

  test("asks the source for what is missing alone, and counts all of it as progress", async () => {
    const { source, asked, layer, root } = layerSource();
    const { target, stored, forgotten } = keeping(layer.digest, bytes.subarray(0, 60_000));
    const { events } = await copy(source, [root], target);
    expect(asked).toEqual([{ start: 60_000, end: bytes.length }]);
    expect(Buffer.from(bytes).equals(stored.get(layer.digest) ?? new Uint8Array())).toBe(true);
    expect(forgotten).not.toContain(layer.digest);
    expect(sumOf(events, layer.digest)).toBe(bytes.length);
  });

  test("forgets what was kept, and copies all of it once more, when the whole is not what it should be", async () => {
    const { source, asked, layer, root } = layerSource();
    const { target, stored, forgotten } = keeping(layer.digest, noise(60_000, 99));
    const { events } = await copy(source, [root], target);
    expect(asked).toEqual([{ start: 60_000, end: bytes.length }, undefined]);
    expect(forgotten).toContain(layer.digest);
    expect(Buffer.from(bytes).equals(stored.get(layer.digest) ?? new Uint8Array())).toBe(true);
    expect(sumOf(events, layer.digest)).toBe(bytes.length);
  });

  test("copies all of it when more is kept than the blob has", async () => {
    const { source, asked, layer, root } = layerSource();
    const { target, stored } = keeping(layer.digest, noise(bytes.length + 1));
    await copy(source, [root], target);
    expect(asked.at(-1)).toBeUndefined();
    expect(Buffer.from(bytes).equals(stored.get(layer.digest) ?? new Uint8Array())).toBe(true);
  });

  test("does not try a third time when the source's bytes are wrong, too", async () => {
    const { source, asked, layer, root } = layerSource();
    source.addBlob(layer, {
      size: bytes.length,
      open: async range => {
        asked.push(range);
        return await bytesBlob(noise(bytes.length, 5)).open(range);
      },
    });
    const { target } = keeping(layer.digest, bytes.subarray(0, 60_000));
    await expect(copy(source, [root], target)).rejects.toThrow(IntegrityError);
    expect(asked).toHaveLength(2);
  });

  test("does not try again after a fault that the kept bytes have no part in", async () => {
    const { source, asked, layer, root } = layerSource();
    source.addBlob(layer, {
      size: bytes.length,
      open: async range => {
        asked.push(range);
        throw new NetworkError("Cannot read blob: connection reset, expected the rest of it");
      },
    });
    const { target, forgotten } = keeping(layer.digest, bytes.subarray(0, 60_000));
    await expect(copy(source, [root], target)).rejects.toThrow(NetworkError);
    expect(asked).toHaveLength(1);
    expect(forgotten).not.toContain(layer.digest);
  });

  test("uses nothing that is kept of a blob whose bytes come by once", async () => {
    const { source, asked, layer, root } = layerSource(true);
    const { target, forgotten, stored } = keeping(layer.digest, bytes.subarray(0, 60_000));
    await copy(source, [root], target);
    expect(asked).toEqual([undefined]);
    expect(forgotten).toContain(layer.digest);
    expect(Buffer.from(bytes).equals(stored.get(layer.digest) ?? new Uint8Array())).toBe(true);
  });
});
