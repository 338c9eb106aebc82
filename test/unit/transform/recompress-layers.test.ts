import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { gzipProfile } from "../../../src/compress/gzip/gzip-profile.ts";
import type { BlobHandler, CopyPlan, ImageSource, Root } from "../../../src/content/contracts.ts";
import { readBlob } from "../../../src/content/pump.ts";
import { gather } from "../../../src/copy/gather.ts";
import { ArchiveError, IntegrityError } from "../../../src/errors.ts";
import type { Descriptor } from "../../../src/oci/descriptor.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import {
  DOCKER_LAYER,
  DOCKER_LAYER_BZIP2,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_XZ,
  DOCKER_MANIFEST,
  IN_TOTO,
  OCI_CONFIG,
  OCI_FOREIGN_LAYER_GZIP,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from "../../../src/oci/media-types.ts";
import { compressLayers } from "../../../src/transform/compress-layers.ts";
import { recompressLayers } from "../../../src/transform/recompress-layers.ts";
import { collect, noise, sha256Of } from "../../support/memory-blobs.ts";
import { addImage, addIndex, type MemorySource, memorySource, settledRoot } from "../../support/memory-image.ts";

// A tar with one file "hello", as GNU tar's neighbours compress it: zstd 1.5.4, xz 5.4.1, bzip2 1.0.8, gzip 1.12.
const DIFF_ID = "sha256:3df56dd8f5269b656c3837099e2436d67c1a773a0725ecce8d464b2f0c674fae";
const GZIP = Buffer.from(
  "H4sIAAAAAAACA8tIzcnJZ6AtMAACMxMTMA0E6DRIFokNEjczNzNnUDBgoAMoLS5JLAJayTAyQQYo/rkYRsEoGAWjYBSMMAAAOkG49wAIAAA=",
  "base64",
);
const RAW = gunzipSync(GZIP);
const ZSTD = Buffer.from(
  "KLUv/QRo1QEAggIIDsBrDJywnFexSM7pkfspAl80VFoeFCfu3Vuz+/cYQ0oJIJDbc/bBxwFCmKcOSB6OMfCA4eyEi3F6nc4=",
  "base64",
);
const XZ = Buffer.from(
  "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Af/AD1dADQZSe6N1/i4P8k3Mt7I1YCE//IZ+VcAjQ0eilMIokg5TytYPBdJ0KMKND9Hobc+y5cspCgl9LZa11FD24AAAAAAeYIzjZuOIegAAVmAEAAAAO9qKwmxxGf7AgAAAAAEWVo=",
  "base64",
);
const BZIP2 = Buffer.from(
  "QlpoOTFBWSZTWVjqr/4AACxbgMmQQABFgAAIYkSeAAgIIABUNQAABp6gkpqeo9I9EAacwaYQ4gnualp1hBQNmtkJqCLshqxd5zcNCcGD0IAhJopXxdyRThQkFjqr/4A=",
  "base64",
);

interface Recoded {
  readonly source: ImageSource;
  readonly roots: readonly Root[];
  readonly plan: CopyPlan;
  readonly notes: readonly string[];
}

async function recompress(
  source: ImageSource,
  roots: readonly Root[],
  wish: "gzip" | "raw",
  only?: ReadonlySet<"none" | "gzip" | "zstd" | "xz" | "bzip2">,
): Promise<Recoded> {
  const notes: string[] = [];
  const onNote = (note: string): void => void notes.push(note);
  const recompressed = await recompressLayers(source, await gather(source, roots), wish, { only, onNote });
  const now: Root[] = [];
  for await (const root of recompressed.roots()) now.push(root);
  // Whatever is planned has the digest that its bytes have: gather reads every manifest, verified.
  return { source: recompressed, roots: now, plan: await gather(recompressed, now), notes };
}

function image(
  source: MemorySource,
  layers: readonly Descriptor[],
  diffIds: readonly string[],
  extra = {},
): Descriptor {
  const rootfs = { type: "layers", diff_ids: diffIds };
  const config = source.add(OCI_CONFIG, { os: "linux", architecture: "amd64", rootfs });
  return source.add(OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers, ...extra });
}

function layersOf({ plan }: Recoded): readonly Descriptor[] {
  return [...plan.manifests.values()].flatMap(({ view }) => (view.kind === "image" ? view.layers : []));
}

async function bytesOf({ source }: Recoded, layer: Descriptor | undefined): Promise<Uint8Array> {
  if (layer === undefined) throw new Error("no layer");
  const blob = await source.blob(layer);
  expect(blob.size).toBe(layer.size);
  const bytes = await readBlob(blob, layer.size);
  expect(sha256Of(bytes)).toBe(layer.digest);
  return bytes;
}

describe("recompressLayers()", () => {
  test.each([
    ["zstd", OCI_LAYER_ZSTD, ZSTD, OCI_LAYER],
    ["gzip", OCI_LAYER_GZIP, GZIP, OCI_LAYER],
    ["gzip of Docker", DOCKER_LAYER_GZIP, GZIP, DOCKER_LAYER],
    ["xz", DOCKER_LAYER_XZ, XZ, DOCKER_LAYER],
    ["bzip2", DOCKER_LAYER_BZIP2, BZIP2, DOCKER_LAYER],
  ])("recompressLayers() makes a %s layer raw, under its diff_id", async (_what, mediaType, bytes, expected) => {
    const source = memorySource();
    const before = image(source, [source.add(mediaType, bytes)], [DIFF_ID], { annotations: { kept: "yes" } });
    const recompressed = await recompress(source, [settledRoot(before, "app")], "raw");
    const [layer] = layersOf(recompressed);
    expect(layer).toEqual({ mediaType: expected, digest: DIFF_ID, size: RAW.length });
    expect(RAW.equals(await bytesOf(recompressed, layer))).toBe(true);
    const [root] = recompressed.roots;
    expect(root).toMatchObject({ names: ["app"], descriptor: { mediaType: OCI_MANIFEST } });
    expect(root?.kind === "settled" && root.descriptor.digest).not.toBe(before.digest);
    expect([...recompressed.plan.manifests.values()][0]?.view.annotations).toEqual({ kept: "yes" });
    expect(recompressed.notes).toEqual([expect.stringMatching(/^Recompressing 1 layer to raw: reading .* twice/)]);
  });

  test.each([
    ["zstd", OCI_LAYER_ZSTD, ZSTD],
    ["raw", OCI_LAYER, RAW],
    ["xz", DOCKER_LAYER_XZ, XZ],
    ["bzip2", DOCKER_LAYER_BZIP2, BZIP2],
  ])(
    "recompressLayers() makes a %s layer gzip, with the digest that push gives it",
    async (_what, mediaType, bytes) => {
      const source = memorySource();
      const before = image(source, [source.add(mediaType, bytes)], [DIFF_ID]);
      const recompressed = await recompress(source, [settledRoot(before)], "gzip");
      const [layer] = layersOf(recompressed);
      expect(gunzipSync(await bytesOf(recompressed, layer))).toEqual(RAW);
      const pushed = memorySource([settledRoot(image(source, [source.add(OCI_LAYER, RAW)], [DIFF_ID]))]);
      for await (const root of compressLayers({ ...source, roots: pushed.roots }, gzipProfile()).roots()) {
        const pending = root.kind === "draft" ? root.draft.layers[0] : undefined;
        if (pending === undefined || !("key" in pending)) throw new Error("nothing to compress");
        const stream = await pending.open();
        await collect(stream.body);
        expect(stream.seal().descriptor.digest).toBe(layer?.digest);
      }
    },
  );

  test("recompressLayers() makes large layers of several blocks, each part of them too", async () => {
    const source = memorySource();
    const raw = Buffer.concat([noise(2_500_000, 3), Buffer.alloc(1_000_000)]);
    const before = image(source, [source.add(OCI_LAYER, raw)], [sha256Of(raw)]);
    const recompressed = await recompress(source, [settledRoot(before)], "gzip");
    const [layer] = layersOf(recompressed);
    const whole = await bytesOf(recompressed, layer);
    expect(gunzipSync(whole).equals(raw)).toBe(true);
    if (layer === undefined) return;
    const stream = await (await recompressed.source.blob(layer)).open({ start: 100, end: 70_001 });
    expect(Buffer.from(await collect(stream)).equals(whole.subarray(100, 70_001))).toBe(true);
  });

  test("recompressLayers() leaves alone what is as wished, foreign or of another compression", async () => {
    const source = memorySource();
    const layers = [source.add(OCI_LAYER_GZIP, GZIP), source.add(OCI_FOREIGN_LAYER_GZIP, gzipSync("foreign"))];
    const before = image(source, layers, [DIFF_ID, DIFF_ID]);
    const plan = await gather(source, [settledRoot(before)]);
    const options = { onNote: () => expect.unreachable() };
    expect(await recompressLayers(source, plan, "gzip", options)).toBe(source);
    expect(await recompressLayers(source, plan, "raw", { ...options, only: new Set(["zstd"] as const) })).toBe(source);
    const artifact = addImage(source, "chart", { configType: "application/vnd.cncf.helm.config.v1+json", layers });
    expect(await recompressLayers(source, await gather(source, [settledRoot(artifact)]), "raw", options)).toBe(source);
  });

  test("recompressLayers() rewrites every index above, and leaves out attestations of what it changed", async () => {
    const source = memorySource();
    const changed = image(source, [source.add(OCI_LAYER_GZIP, GZIP)], [DIFF_ID]);
    const same = image(source, [source.add(OCI_LAYER, RAW)], [DIFF_ID]);
    const attest = (about: Descriptor): object => ({
      ...addImage(source, `about ${about.digest}`, { layers: [source.add(IN_TOTO, about.digest)] }),
      platform: { os: "unknown", architecture: "unknown" },
      annotations: { "vnd.docker.reference.digest": about.digest },
    });
    const platform = { os: "linux", architecture: "amd64" };
    const inner = addIndex(source, [{ ...changed, platform, data: "AAAA" }, attest(changed), same, attest(same)]);
    const recompressed = await recompress(source, [settledRoot(addIndex(source, [inner]), "a")], "raw");
    const views = [...recompressed.plan.manifests.values()].map(({ view }) => view);
    const [innerNow] = views.filter(view => view.kind === "index" && view.manifests.length === 3);
    if (innerNow?.kind !== "index") throw new Error("no inner index");
    expect(innerNow.manifests[0]).toMatchObject({ platform, mediaType: OCI_MANIFEST });
    expect(innerNow.manifests[0]?.digest).not.toBe(changed.digest);
    expect(innerNow.manifests[1]?.digest).toBe(same.digest);
    expect(innerNow.manifests[2]?.annotations).toEqual({ "vnd.docker.reference.digest": same.digest });
    expect(recompressed.notes.at(-1)).toContain(`is about ${changed.digest}`);
  });

  test("recompressLayers() recodes a draft, by the diff_ids that it knows", async () => {
    const source = memorySource();
    const config = source.add(OCI_CONFIG, "not read");
    const layers = [source.add(DOCKER_LAYER_XZ, XZ)];
    const root: Root = {
      kind: "draft",
      names: ["a"],
      draft: { mediaType: DOCKER_MANIFEST, config, layers, diffIds: [DIFF_ID] },
    };
    const recompressed = await recompress(source, [root], "gzip");
    const [now] = recompressed.roots;
    if (now?.kind !== "draft") throw new Error("no draft");
    const [layer] = now.draft.layers;
    expect(layer).toMatchObject({ mediaType: DOCKER_LAYER_GZIP });
    if (layer === undefined || "key" in layer) throw new Error("no layer");
    expect(gunzipSync(await bytesOf(recompressed, layer))).toEqual(RAW);
  });

  test("recompressLayers() reads layers of a streamed archive twice, to measure and to write them", async () => {
    const held = memorySource();
    const layer = held.add(OCI_LAYER_GZIP, GZIP);
    const root = settledRoot(image(held, [layer], [DIFF_ID]));
    let readings = 0;
    const streamed: ImageSource = {
      ...held,
      blob: async (descriptor, signal) =>
        descriptor.digest === layer.digest ? expect.unreachable() : await held.blob(descriptor, signal),
      streamed: {
        holds: digest => digest !== layer.digest,
        async read(wanted, handle: BlobHandler) {
          readings += 1;
          expect([...wanted]).toEqual([layer.digest]);
          await handle(layer.digest, { ...(await held.blob(layer)), isOneShot: true }, new AbortController().signal);
        },
      },
    };
    const recompressed = await recompress(streamed, [root], "raw");
    expect(recompressed.source.streamed?.holds(DIFF_ID)).toBe(false);
    const taken: [Digest, Uint8Array][] = [];
    await recompressed.source.streamed?.read(new Set([DIFF_ID as Digest]), async (digest, blob) => {
      expect(blob.isOneShot).toBe(true);
      taken.push([digest, await readBlob(blob, 10_000)]);
    });
    expect(taken).toEqual([[DIFF_ID, Buffer.from(RAW)]]);
    expect(readings).toBe(2);
  });

  test.each([
    ["raw", OCI_LAYER_GZIP, GZIP],
    ["gzip", DOCKER_LAYER_XZ, XZ],
  ] as const)(
    "recompressLayers() refuses a layer that is not the one of the config (%s)",
    async (wish, mediaType, bytes) => {
      const source = memorySource();
      const before = image(source, [source.add(mediaType, bytes)], [sha256Of(Buffer.from("another"))]);
      await expect(recompress(source, [settledRoot(before)], wish)).rejects.toThrow(IntegrityError);
    },
  );

  test("recompressLayers() refuses a layer whose bytes are not its digest, and a cut one", async () => {
    const source = memorySource();
    const layer = source.add(OCI_LAYER_GZIP, GZIP);
    const root = settledRoot(image(source, [layer], [DIFF_ID]));
    const other = gzipSync(RAW, { level: 1 });
    source.addBlob(layer, { size: other.length, open: async () => (await memoryBlob(other)).open() });
    await expect(recompress(source, [root], "raw")).rejects.toThrow(IntegrityError);
    const cut = source.add(OCI_LAYER_GZIP, GZIP.subarray(0, 60));
    const cutRoot = settledRoot(image(source, [cut], [DIFF_ID]));
    await expect(recompress(source, [cutRoot], "raw")).rejects.toThrow(ArchiveError);
  });

  test("recompressLayers() refuses a config that tells of other layers than its manifest", async () => {
    const source = memorySource();
    const before = image(source, [source.add(OCI_LAYER_ZSTD, ZSTD)], [DIFF_ID, DIFF_ID]);
    await expect(recompress(source, [settledRoot(before)], "raw")).rejects.toMatchObject({ reason: "layer-count" });
  });
});

async function memoryBlob(bytes: Uint8Array): Promise<Awaited<ReturnType<ImageSource["blob"]>>> {
  const source = memorySource();
  return await source.blob(source.add(OCI_LAYER, bytes));
}
