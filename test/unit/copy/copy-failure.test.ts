import { afterEach, describe, expect, test } from "vitest";
import { gzipProfile } from "../../../src/compress/gzip/gzip-profile.ts";
import { bytesBlob } from "../../../src/content/blob.ts";
import { sharedChunks } from "../../../src/content/chunks/chunks.ts";
import { openDigestCache } from "../../../src/copy/digest-cache.ts";
import { IntegrityError, StorageError } from "../../../src/errors.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { OCI_LAYER, OCI_LAYER_GZIP } from "../../../src/oci/media-types.ts";
import { deferred } from "../../../src/util/promises.ts";
import { noise, partsBlob, sha256Of, turns } from "../../support/memory-blobs.ts";
import { copy, draftRoots } from "../../support/memory-copy.ts";
import { addImage, memorySource, settledRoot } from "../../support/memory-image.ts";
import { memoryTarget } from "../../support/memory-target.ts";

afterEach(() => expect(sharedChunks.lentChunks).toBe(0));

describe("copyImages()", () => {
  test("stops the siblings at the first failure, and throws when all of them have ended", async () => {
    const source = memorySource();
    const layers = Array.from({ length: 6 }, (_, index) => source.add(OCI_LAYER_GZIP, noise(100 + index)));
    const failing = layers[2]?.digest;
    let ended = 0;
    const both = deferred<void>();
    const target = memoryTarget({
      async onPut(digest, signal) {
        if (digest === failing) {
          await both.promise;
          throw new StorageError("Cannot write x: no space left");
        }
        both.resolve();
        await new Promise(resolve => signal?.addEventListener("abort", resolve, { once: true }));
        await turns(5);
        ended += 1;
        signal?.throwIfAborted();
      },
    });
    const roots = [settledRoot(addImage(source, "x", { layers: layers.slice(1, 3) }))];
    await expect(copy(source, roots, target, { concurrency: 2 })).rejects.toThrow("no space left");
    expect(ended).toBe(1);
    expect(target.log.filter(line => line.startsWith("put "))).toHaveLength(2);
    expect(target.log.some(line => line.startsWith("commit"))).toBe(false);
    expect(target.log.at(-1)).toBe("disposed");
  });

  test("commits nothing when the signal aborts on the way", async () => {
    const source = memorySource();
    const stop = new AbortController();
    const target = memoryTarget({ onPut: async () => stop.abort(new Error("interrupted")) });
    const failed = copy(source, [settledRoot(addImage(source, "x"))], target, { signal: stop.signal });
    await expect(failed).rejects.toThrow("interrupted");
    expect(target.log.some(line => line.startsWith("commit"))).toBe(false);
    expect(target.log.at(-1)).toBe("disposed");
  });

  test("says that the target failed when it could not store a blob", async () => {
    const source = memorySource();
    const target = memoryTarget({ onPut: async () => await Promise.reject(new StorageError("Cannot write x: full")) });
    await expect(copy(source, [settledRoot(addImage(source, "x"))], target)).rejects.toMatchObject({
      origin: "target",
    });
    const raw = await draftRoots(source, [source.add(OCI_LAYER, "raw")]);
    await expect(copy(source, raw, target)).rejects.toMatchObject({ origin: "target" });
  });

  test("says that the source failed when its bytes are not those of their digest", async () => {
    const source = memorySource();
    const layer: Descriptor = { mediaType: OCI_LAYER_GZIP, digest: sha256Of(noise(10, 3)), size: 10 };
    source.addBlob(layer, partsBlob(noise(10), 10));
    const failed = copy(source, [settledRoot(addImage(source, "x", { layers: [layer] }))], memoryTarget());
    await expect(failed).rejects.toThrow(IntegrityError);
    await expect(failed).rejects.toMatchObject({ origin: "source" });
  });

  test("says that the source failed when a raw layer is not the one its config names", async () => {
    const source = memorySource();
    const layer: Descriptor = { mediaType: OCI_LAYER, digest: sha256Of(noise(10, 3)), size: 10 };
    source.addBlob(layer, bytesBlob(noise(10)));
    const failed = copy(source, await draftRoots(source, [layer]), memoryTarget());
    await expect(failed).rejects.toThrow(`expected ${layer.digest}`);
    await expect(failed).rejects.toMatchObject({ origin: "source" });
  });

  test("remembers no digest of a layer that did not arrive", async () => {
    const source = memorySource();
    const roots = await draftRoots(source, [source.add(OCI_LAYER, noise(50))]);
    const cache = await openDigestCache(undefined);
    const target = memoryTarget({ onPut: async () => await Promise.reject(new StorageError("Cannot write x: full")) });
    await expect(copy(source, roots, target, { cache })).rejects.toThrow("full");
    expect(cache.find(`pending:${sha256Of(noise(50))}+${gzipProfile().name}`)).toBeUndefined();
  });

  test("refuses a raw layer for a target that must know digests first", async () => {
    const source = memorySource();
    const roots = await draftRoots(source, [source.add(OCI_LAYER, "raw")]);
    await expect(copy(source, roots, memoryTarget({ knowsDigestsOnly: true }))).rejects.toThrow(
      "Cannot copy raw layer",
    );
  });
});
