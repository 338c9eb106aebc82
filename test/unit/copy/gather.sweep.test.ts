import { describe, expect, test } from "vitest";
import { gather } from "../../../src/copy/gather.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { addImage, addIndex, memorySource, settledRoot } from "../../support/memory-image.ts";

describe("gather() of a large graph", () => {
  test("refuses more than a hundred thousand descriptors (M-07)", async () => {
    const source = memorySource();
    let next = 0;
    const images = Array.from({ length: 24 }, (_, image) => {
      const layers = Array.from({ length: 15_000 }, () => ({
        mediaType: OCI_LAYER,
        digest: `sha256:${(next++).toString(16).padStart(64, "0")}`,
        size: 1,
      })) as Descriptor[];
      return addImage(source, `image ${image}`, { layers });
    });
    const failed = gather(
      source,
      images.map(image => settledRoot(image)),
    );
    await expect(failed).rejects.toThrow("more than 102400 descriptors");
    // Eight manifests are read at once.
    expect(source.asked.length).toBeLessThan(images.length);
  });

  test("refuses more manifests than memory should hold", async () => {
    const source = memorySource();
    const config = source.add(OCI_CONFIG, {});
    const images = Array.from({ length: 10 }, (_, image) => {
      const text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] });
      return source.add(OCI_MANIFEST, `${text}${" ".repeat(3_900_000 + image)}`);
    });
    await expect(gather(source, [settledRoot(addIndex(source, images))])).rejects.toMatchObject({
      reason: "graph-too-large",
    });
  });
});
