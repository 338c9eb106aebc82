import { describe, expect, test } from "vitest";
import { gather } from "../../../src/copy/gather.ts";
import { IntegrityError } from "../../../src/errors.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { noise, partsBlob, sha256Of } from "../../support/memory-blobs.ts";
import { addImage, addIndex, type MemorySource, memorySource, settledRoot } from "../../support/memory-image.ts";

const digestsOf = (descriptors: readonly Descriptor[]): readonly string[] => descriptors.map(({ digest }) => digest);

/** Indexes around an image, `levels` deep with it. */
function nested(source: MemorySource, levels: number): Descriptor {
  let descriptor = addImage(source, "inner");
  for (let level = 1; level < levels; level += 1) descriptor = addIndex(source, [descriptor]);
  return descriptor;
}

const absent: Descriptor = { mediaType: OCI_MANIFEST, digest: sha256Of(noise(3)), size: 3 };

describe("gather()", () => {
  test("lists children before parents and every digest once", async () => {
    const source = memorySource();
    const base = source.add(OCI_LAYER_GZIP, "base");
    const one = addImage(source, "one", { layers: [base] });
    const two = addImage(source, "two", { layers: [base, source.add(OCI_LAYER_GZIP, "top")] });
    const inner = addIndex(source, [one, two]);
    const outer = addIndex(source, [inner, one]);
    const plan = await gather(source, [settledRoot(outer, "a"), settledRoot(one, "b"), settledRoot(outer, "c")]);
    expect([...plan.manifests.keys()]).toEqual(digestsOf([one, two, inner, outer]));
    expect(new Set(digestsOf(plan.blobs)).size).toBe(plan.blobs.length);
    expect(plan.blobs).toHaveLength(4);
    expect(source.asked).toHaveLength(4);
    expect(plan.totalBytes).toBe(plan.blobs.reduce((sum, { size }) => sum + size, 0));
    expect(plan.roots).toHaveLength(3);
  });

  test("keeps a manifest's bytes as they are", async () => {
    const source = memorySource();
    const config = source.add(OCI_CONFIG, {});
    const text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }, null, 3);
    const image = source.add(OCI_MANIFEST, `${text}\n\n`);
    const plan = await gather(source, [settledRoot(image)]);
    expect(Buffer.from(plan.manifests.get(image.digest)?.bytes ?? []).toString()).toBe(`${text}\n\n`);
  });

  test("plans what drafts know, and what waits for its digest once", async () => {
    const source = memorySource();
    const config = source.add(OCI_CONFIG, {});
    const ready = source.add(OCI_LAYER_GZIP, "ready");
    const pending = {
      key: "pending:x",
      what: "layer",
      mediaType: OCI_LAYER_GZIP,
      sourceBytes: 1000,
      origin: {
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest: `sha256:${"9".repeat(64)}` as const,
        size: 1000,
      },
      open: async () => await Promise.reject(new Error("unread")),
    } as const;
    const draft = { mediaType: OCI_MANIFEST, config, layers: [ready, pending, pending] };
    const plan = await gather(source, [
      { kind: "draft", names: [], draft },
      { kind: "draft", names: [], draft },
    ]);
    expect(plan.pending).toEqual([pending]);
    expect(plan.blobs).toEqual([config, ready]);
    expect(plan.totalBytes).toBe(config.size + ready.size + 1000);
    expect(source.asked).toEqual([]);
  });

  test("reads eight levels and refuses a ninth (M-07)", async () => {
    const source = memorySource();
    expect((await gather(source, [settledRoot(nested(source, 8))])).manifests.size).toBe(8);
    await expect(gather(source, [settledRoot(nested(source, 9))])).rejects.toMatchObject({
      reason: "graph-too-large",
      exitCode: 3,
    });
  });

  test("reads a fan of indexes over the same children once each (M-07)", async () => {
    const source = memorySource();
    let level: Descriptor[] = [addImage(source, "leaf")];
    for (let depth = 0; depth < 6; depth += 1) {
      level = Array.from({ length: 10 }, (_, index) =>
        source.add(OCI_INDEX, {
          schemaVersion: 2,
          mediaType: OCI_INDEX,
          manifests: level,
          annotations: { index: `${index}` },
        }),
      );
    }
    const plan = await gather(source, [settledRoot(addIndex(source, level))]);
    expect(plan.manifests.size).toBe(62);
    expect(source.asked).toHaveLength(62);
  });

  test("refuses a manifest that is not the one its digest names, and says that the source failed", async () => {
    const source = memorySource();
    const image = addImage(source, "x");
    const wrong = source.addBlob({ ...image, digest: sha256Of(noise(1)) }, await source.blob(image));
    const failed = gather(source, [settledRoot(wrong)]);
    await expect(failed).rejects.toThrow(IntegrityError);
    await expect(failed).rejects.toThrow(`found ${image.digest}`);
    await expect(failed).rejects.toMatchObject({ origin: "source" });
  });

  test("stops reading a manifest at 4 MiB, whatever size its index states", async () => {
    const source = memorySource();
    const descriptor: Descriptor = { mediaType: OCI_MANIFEST, digest: sha256Of(noise(4)), size: 4 };
    source.addBlob(descriptor, partsBlob(noise(4 * 1024 * 1024 + 1), 1024 * 1024));
    await expect(gather(source, [settledRoot(descriptor)])).rejects.toThrow("more than");
  });

  test("refuses an index whose child is absent, and tells the caller that allows it", async () => {
    const source = memorySource();
    const image = addImage(source, "x");
    const index = addIndex(source, [image, absent]);
    await expect(gather(source, [settledRoot(index)])).rejects.toMatchObject({ reason: "missing-blob" });
    const told: Descriptor[] = [];
    const plan = await gather(source, [settledRoot(index)], undefined, undefined, found => told.push(found));
    expect(digestsOf(told)).toEqual([absent.digest]);
    expect([...plan.manifests.keys()]).toEqual([image.digest, index.digest]);
  });

  test("refuses an absent root whoever asks", async () => {
    const failed = gather(memorySource(), [settledRoot(absent)], undefined, undefined, () => undefined);
    await expect(failed).rejects.toMatchObject({ reason: "missing-blob" });
  });

  test("follows only the children that are selected", async () => {
    const source = memorySource();
    const [one, two] = [addImage(source, "one"), addImage(source, "two")];
    const index = addIndex(source, [one, two]);
    const plan = await gather(source, [settledRoot(index)], undefined, view => (view.kind === "index" ? [two] : []));
    expect([...plan.manifests.keys()]).toEqual([two.digest, index.digest]);
    expect(source.asked).not.toContain(one.digest);
  });
});
