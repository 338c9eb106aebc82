import { afterEach, describe, expect, test } from "vitest";
import { sharedChunks } from "../../../src/content/chunks.ts";
import type { ProgressEvent } from "../../../src/content/progress.ts";
import { openDigestCache } from "../../../src/copy/digest-cache.ts";
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
    expect(events.at(-1)).toMatchObject({ kind: "committed" });
  });
});
