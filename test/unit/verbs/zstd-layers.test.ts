import { Readable } from "node:stream";
import * as zlib from "node:zlib";
import { describe, expect, test } from "vitest";
import { decompress } from "../../../src/compress/decompress.ts";
import { zstdProfile } from "../../../src/compress/zstd/zstd-profile.ts";
import { listRoots } from "../../../src/content/derived-source.ts";
import { readBlob } from "../../../src/content/pump.ts";
import { gather } from "../../../src/copy/gather.ts";
import { UsageError } from "../../../src/errors.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import type { ImageView, IndexView } from "../../../src/oci/manifest.ts";
import {
  DOCKER_CONFIG,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from "../../../src/oci/media-types.ts";
import { recompressLayers } from "../../../src/transform/recompress-layers.ts";
import { rewriteImage, rewriteIndex } from "../../../src/transform/rewrite-manifest.ts";
import { layerChange } from "../../../src/verbs/shared/layer-change.ts";
import { loaderProfile } from "../../../src/verbs/shared/loader-profile.ts";
import { BIG_LAYER, pushTo, SMALL_LAYER } from "../../fault/push-support.ts";
import { collect, noise, partsBlob, sha256Of } from "../../support/memory-blobs.ts";
import { memorySource, settledRoot } from "../../support/memory-image.ts";
import { ScriptedRegistry } from "../../support/scripted-registry.ts";

const hasZstd = "createZstdCompress" in zlib;
const digest = `sha256:${"1".repeat(64)}` as const;

test.skipIf(hasZstd)("zstd layers are refused by name of the Node that has no encoder for them", async () => {
  const failed = pushTo(await ScriptedRegistry.start(), { options: { compression: "zstd" } });
  const { error } = await failed;
  expect(error).toBeInstanceOf(UsageError);
  expect(error).toMatchObject({
    message: `Cannot compress layers with zstd: Node ${process.versions.node} has no zstd encoder, expected Node 22.15 or newer`,
  });
  expect(() => layerChange("zstd", undefined)).toThrow("no zstd encoder");
});

test.runIf(hasZstd)("zstd layers are refused for a loader that cannot unpack them", () => {
  expect(() => layerChange("zstd", loaderProfile("docker20"))).toThrow("Cannot write zstd layers for Docker 20");
});

describe("a Docker manifest with layers that became zstd", () => {
  const config = { mediaType: DOCKER_CONFIG, digest, size: 5 } as const;
  const layer = { mediaType: DOCKER_LAYER_GZIP, digest, size: 7 } as const;
  const other = { ...layer, digest: `sha256:${"2".repeat(64)}` } as const;
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: DOCKER_MANIFEST, config, layers: [layer, other] }),
  );
  const view = { kind: "image", mediaType: DOCKER_MANIFEST, config, layers: [layer, other] } as unknown as ImageView;
  const recompressed = new Map([[layer.digest, { digest: `sha256:${"3".repeat(64)}`, size: 9 } as const]]);

  test("becomes an OCI manifest, since Docker's has no such media type", () => {
    const rewritten = rewriteImage(bytes, view, recompressed, "zstd");
    expect(rewritten?.mediaType).toBe(OCI_MANIFEST);
    expect(JSON.parse(Buffer.from(rewritten?.bytes ?? []).toString())).toEqual({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { ...config, mediaType: OCI_CONFIG },
      layers: [
        { mediaType: OCI_LAYER_ZSTD, digest: `sha256:${"3".repeat(64)}`, size: 9 },
        { ...other, mediaType: OCI_LAYER_GZIP },
      ],
    });
  });

  const manifests = [{ mediaType: DOCKER_MANIFEST, digest, size: 3, platform: { os: "linux", architecture: "amd64" } }];
  const list = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: DOCKER_MANIFEST_LIST, manifests }));
  const index = { kind: "index", mediaType: DOCKER_MANIFEST_LIST, manifests } as unknown as IndexView;

  test("makes its manifest list an OCI index", () => {
    const now = { mediaType: OCI_MANIFEST, digest: `sha256:${"4".repeat(64)}`, size: 8 } as const;
    const rewritten = rewriteIndex(list, index, new Map([[digest, now]]), () => undefined);
    expect(rewritten?.mediaType).toBe(OCI_INDEX);
    expect(JSON.parse(Buffer.from(rewritten?.bytes ?? []).toString())).toEqual({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ ...manifests[0], ...now }],
    });
  });

  test("leaves the manifest list of another image one of Docker", () => {
    const own: Descriptor = { mediaType: DOCKER_MANIFEST, digest: `sha256:${"4".repeat(64)}`, size: 8 };
    const other: Descriptor = { ...own, mediaType: OCI_MANIFEST, digest: `sha256:${"5".repeat(64)}` };
    const changed = new Map<Digest, Descriptor>([
      [digest, own],
      [`sha256:${"6".repeat(64)}`, other],
    ]);
    expect(rewriteIndex(list, index, changed, () => undefined)?.mediaType).toBe(DOCKER_MANIFEST_LIST);
  });
});

describe.runIf(hasZstd)("zstd layers (Node has an encoder)", () => {
  test("are pushed in an OCI manifest, and inflate to the layers of the archive", async () => {
    const registry = await ScriptedRegistry.start();
    const { error } = await pushTo(registry, { options: { compression: "zstd:5" } });
    expect(error).toBeUndefined();
    const { bytes, type } = registry.content.manifests.get("app:1") ?? {};
    const manifest = JSON.parse(bytes?.toString() ?? "{}");
    expect({ type, config: manifest.config.mediaType }).toEqual({ type: OCI_MANIFEST, config: OCI_CONFIG });
    const layers = [];
    for (const { mediaType, digest } of manifest.layers) {
      expect(mediaType).toBe(OCI_LAYER_ZSTD);
      layers.push(await inflated(registry.content.blobs.get(digest) ?? Buffer.alloc(0)));
    }
    expect(layers).toEqual([BIG_LAYER, SMALL_LAYER].map(layer => sha256Of(layer)));
  });

  test("of an archive have the same bytes in every reading", async () => {
    const raw = Buffer.concat([noise(1_500_000), Buffer.alloc(1_000_000), noise(300_000, 7)]);
    const source = memorySource();
    const rootfs = { type: "layers", diff_ids: [sha256Of(raw)] };
    const config = source.add(OCI_CONFIG, { os: "linux", architecture: "amd64", rootfs });
    const layer = source.addBlob(
      { mediaType: OCI_LAYER, digest: sha256Of(raw), size: raw.length },
      partsBlob(raw, 70_001),
    );
    const image = source.add(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] });
    const plan = await gather(source, [settledRoot(image, "app")]);
    const recompressed = await recompressLayers(source, plan, "zstd", { onNote: () => undefined });
    const now = await gather(recompressed, await listRoots(recompressed, undefined));
    const [packed] = [...now.manifests.values()].flatMap(({ view }) => (view.kind === "image" ? view.layers : []));
    if (packed === undefined) throw new Error("no layer");
    expect(packed.mediaType).toBe(OCI_LAYER_ZSTD);
    const bytes = await readBlob(await recompressed.blob(packed), packed.size);
    expect(sha256Of(bytes)).toBe(packed.digest);
    expect(await inflated(bytes)).toBe(sha256Of(raw));
  });

  test("of another level have another name in the digest cache", () => {
    expect(zstdProfile().name).not.toBe(zstdProfile(4).name);
  });
});

/** With our own decoder, which checks every frame's checksum. */
async function inflated(bytes: Uint8Array): Promise<string> {
  return sha256Of(await collect(decompress(Readable.from([bytes]), "zstd", "the layer")));
}
