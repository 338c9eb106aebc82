import { Writable } from "node:stream";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { archiveStreamTarget } from "../../../src/archive/write/archive-stream-target.ts";
import { sharedChunks } from "../../../src/content/chunks/chunks.ts";
import type { ImageSource } from "../../../src/content/contracts.ts";
import { copyImages } from "../../../src/copy/copy-image.ts";
import { openDigestCache } from "../../../src/copy/digest-cache.ts";
import { gather } from "../../../src/copy/gather.ts";
import { OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_MANIFEST } from "../../../src/oci/media-types.ts";
import { recompressLayers } from "../../../src/transform/recompress-layers.ts";
import { fixedPace } from "../../../src/util/pace/pace.ts";
import { noise, sha256Of } from "../../support/memory-blobs.ts";
import { memorySource, settledRoot } from "../../support/memory-image.ts";

const MIB = 1024 * 1024;
// More than a blob in the stream may read ahead, and hold in chunks: all but one wait for their turn.
const NOISE = noise(9 * MIB);
const RAW_LAYERS = Array.from({ length: 8 }, (_, place) => NOISE.subarray(place));

test.each(["gzip", "raw"] as const)(
  "recompressLayers() makes 8 large layers %s for a stream, 6 at once, out of one pool of chunks",
  async wish => {
    const source = memorySource();
    const layers = RAW_LAYERS.map(raw =>
      wish === "gzip" ? source.add(OCI_LAYER, raw) : source.add(OCI_LAYER_GZIP, gzipSync(raw, { level: 0 })),
    );
    const rootfs = { type: "layers", diff_ids: RAW_LAYERS.map(sha256Of) };
    const config = source.add(OCI_CONFIG, { os: "linux", architecture: "amd64", rootfs });
    const manifest = source.add(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers });
    const root = settledRoot(manifest, "docker.io/library/app:1");
    const recompressed: ImageSource = await recompressLayers(source, await gather(source, [root]), wish, {
      onNote: () => undefined,
    });
    const roots = [];
    for await (const now of recompressed.roots()) roots.push(now);
    let written = 0;
    const output = new Writable({
      write(part: Buffer, _encoding, onDone) {
        written += part.length;
        setImmediate(onDone);
      },
    });
    const plan = await gather(recompressed, roots);
    await copyImages({
      plan,
      source: recompressed,
      target: archiveStreamTarget(output, { platform: { os: "linux", architecture: "amd64" } }),
      sourceName: "memory",
      cache: await openDigestCache(undefined),
      pace: fixedPace(6),
      onProgress: () => undefined,
    });
    // Whatever went out was verified against the plan.
    expect(written).toBeGreaterThan(plan.blobs.reduce((sum, { size }) => sum + size, 0));
    expect(plan.blobs).toHaveLength(RAW_LAYERS.length + 1);
    expect(sharedChunks.lentChunks).toBe(0);
  },
);
