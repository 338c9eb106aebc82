import fc from "fast-check";
import { expect, test } from "vitest";
import { leastVolumes, packingOf, packVolumes } from "../../src/bundle/volumes/pack-volumes.ts";
import {
  BLOCK_BYTES,
  entryBytes,
  type PackedBlob,
  type PackedImage,
  type PackedVolume,
  type VolumeRequest,
} from "../../src/bundle/volumes/volume-request.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";

const PIECE_BYTES = 4096;
const METADATA_BYTES = 2048;
const MAX_NAMES_BYTES = 8192;

function hashBytes(bytes: number, isPart: boolean): number {
  return isPart || bytes > PIECE_BYTES ? 80 + 67 * (Math.ceil(bytes / PIECE_BYTES) + 1) : 0;
}

function nameOf(kind: string, index: number): Digest {
  return digestOf(Buffer.from(`${kind} ${index}`));
}

/** Layers are shared by images, and some are larger than a volume. */
const bundles: fc.Arbitrary<VolumeRequest> = fc
  .record({
    volumeBytes: fc.integer({ min: 32, max: 256 }).map(kilobytes => kilobytes * 1024),
    layers: fc.array(
      fc.oneof({ weight: 6, arbitrary: fc.nat(20_000) }, { weight: 1, arbitrary: fc.nat(700_000) }, fc.constant(0)),
      { minLength: 1, maxLength: 40 },
    ),
    images: fc.array(
      fc.record({ layers: fc.array(fc.nat(39), { maxLength: 8 }), referrer: fc.boolean(), manifest: fc.nat(3000) }),
      { minLength: 1, maxLength: 20 },
    ),
  })
  .map(({ volumeBytes, layers, images }) => {
    const small = images.map(({ manifest }, index) => {
      return { digest: nameOf("manifest", index), size: manifest, isDivisible: false };
    });
    const signatures = images.map((_, index) => ({ digest: nameOf("signature", index), size: 300, isDivisible: true }));
    const packed = images.map(
      (image, index): PackedImage => ({
        digest: nameOf("manifest", index),
        blobs: [nameOf("manifest", index), ...new Set(image.layers.map(layer => layer % layers.length))].map(one =>
          typeof one === "number" ? nameOf("layer", one) : one,
        ),
        others: image.referrer ? [nameOf("signature", index)] : [],
        nameBytes: [300, 80 * (image.layers.length + 2)],
      }),
    );
    const needed = new Set(packed.flatMap(({ blobs, others }) => [...blobs, ...others]));
    const all = layers.map((size, index) => ({ digest: nameOf("layer", index), size, isDivisible: true }));
    return {
      volumeBytes,
      metadataBytes: METADATA_BYTES,
      maxNamesBytes: MAX_NAMES_BYTES,
      hashBytes,
      blobs: [...all, ...small, ...signatures].filter(({ digest }) => needed.has(digest)),
      images: packed,
    };
  });

async function tryPacked(request: VolumeRequest): Promise<readonly PackedVolume[] | undefined> {
  return await packVolumes(packingOf(request), request);
}

async function packed(request: VolumeRequest): Promise<readonly PackedVolume[]> {
  const volumes = await tryPacked(request);
  if (volumes === undefined) throw new Error("does not fit");
  return volumes;
}

function bytesOf(request: VolumeRequest, { blobs, parts, images }: PackedVolume): number {
  const sizes = new Map(request.blobs.map(({ digest, size }) => [digest, size]));
  const names = images.reduce((sum, index) => {
    const [inIndex = 0, inDocker = 0] = request.images[index]?.nameBytes ?? [];
    return sum + inIndex + inDocker;
  }, 0);
  return (
    METADATA_BYTES +
    names +
    blobs.reduce((sum, digest) => sum + entryBytes(request, sizes.get(digest) ?? 0, false), 0) +
    parts.reduce((sum, { from, to }) => sum + entryBytes(request, to - from, true), 0)
  );
}

test("no volume is larger than asked for, and there is at most one more than the bytes need", async () => {
  await fc.assert(
    fc.asyncProperty(bundles, async request => {
      const volumes = await packed(request);
      for (const volume of volumes) expect(bytesOf(request, volume)).toBeLessThanOrEqual(request.volumeBytes);
      expect(volumes.length).toBeLessThanOrEqual(leastVolumes(request) + 1);
    }),
    { numRuns: 800 },
  );
});

test("every byte of every blob is in exactly one volume; parts end at blocks, and follow each other", async () => {
  await fc.assert(
    fc.asyncProperty(bundles, async request => {
      const volumes = await packed(request);
      for (const { digest, size } of request.blobs) {
        const whole = volumes.filter(({ blobs }) => blobs.includes(digest)).length;
        const parts = volumes.flatMap(volume => volume.parts.filter(part => part.digest === digest));
        if (whole === 1) expect(parts).toEqual([]);
        else {
          const sorted = parts.toSorted((left, right) => left.part - right.part);
          expect(sorted.map(({ part }) => part)).toEqual(sorted.map((_, index) => index + 1));
          expect(sorted.map(({ from }) => from)).toEqual([0, ...sorted.slice(0, -1).map(({ to }) => to)]);
          expect(sorted.at(-1)?.to).toBe(size);
          expect(sorted.length).toBeGreaterThan(1);
          for (const { from } of sorted) expect(from % BLOCK_BYTES).toBe(0);
        }
      }
      for (const { parts } of volumes) expect(new Set(parts.map(({ digest }) => digest)).size).toBe(parts.length);
      expect(volumes.every(({ blobs, parts }) => blobs.length + parts.length > 0)).toBe(true);
    }),
    { numRuns: 800 },
  );
});

test("the order of images and blobs does not matter", async () => {
  await fc.assert(
    fc.asyncProperty(bundles, fc.infiniteStream(fc.nat()), async (request, random) => {
      const shuffled = <T>(values: readonly T[]): readonly T[] =>
        values
          .map(value => ({ value, key: random.next().value ?? 0 }))
          .sort((left, right) => left.key - right.key)
          .map(({ value }) => value);
      const other = { ...request, blobs: shuffled<PackedBlob>(request.blobs), images: shuffled(request.images) };
      const named = async (one: VolumeRequest) =>
        (await packed(one)).map(({ images, ...volume }) => ({
          ...volume,
          images: images.map(index => one.images[index]?.digest).sort(),
        }));
      expect(await named(other)).toEqual(await named(request));
    }),
    { numRuns: 60 },
  );
});

test("an image is named in the one volume that has all of it, unless its list of names is full", async () => {
  await fc.assert(
    fc.asyncProperty(bundles, async request => {
      const volumes = await packed(request);
      for (const [index, image] of request.images.entries()) {
        const named = volumes.filter(({ images }) => images.includes(index));
        const whole = volumes.filter(({ blobs }) => image.blobs.every(digest => blobs.includes(digest)));
        expect(named.length).toBeLessThanOrEqual(1);
        for (const volume of named) expect(whole).toContain(volume);
      }
      for (const { images } of volumes) {
        const docker = images.reduce((sum, index) => sum + (request.images[index]?.nameBytes[1] ?? 0), 0);
        expect(docker).toBeLessThanOrEqual(MAX_NAMES_BYTES);
      }
    }),
    { numRuns: 80 },
  );
});

/** `[volumes, size of each image]`: images of one layer that nothing else shares. */
function requestOf(volumeBytes: number, layers: readonly number[]): VolumeRequest {
  return {
    volumeBytes,
    metadataBytes: METADATA_BYTES,
    maxNamesBytes: MAX_NAMES_BYTES,
    hashBytes,
    blobs: layers.map((size, index) => ({ digest: nameOf("layer", index), size, isDivisible: true })),
    images: layers.map((_, index) => {
      return { digest: nameOf("layer", index), blobs: [nameOf("layer", index)], others: [], nameBytes: [100, 100] };
    }),
  };
}

test("a blob is split only if it is larger than a volume, or if whole blobs take two volumes too many", async () => {
  const splits = async (request: VolumeRequest): Promise<number> =>
    (await packed(request)).reduce((sum, { parts }) => sum + parts.length, 0);
  expect(await splits(requestOf(100_000, [60_000, 60_000, 60_000]))).toBe(0);
  expect(await packed(requestOf(100_000, [60_000, 60_000, 60_000]))).toHaveLength(3);
  expect((await packed(requestOf(100_000, [250_000]))).map(({ parts }) => parts.length)).toEqual([1, 1, 1]);
  // Whole, 20 blobs of 0.6 of a volume need 20 volumes.
  const many = requestOf(
    100_000,
    Array.from({ length: 20 }, () => 60_000),
  );
  expect(await packed(many)).toHaveLength(leastVolumes(many) + 1);
  expect(await splits(many)).toBeGreaterThan(0);
});

test("images that share a layer are put into one volume", async () => {
  const request = requestOf(100_000, [30_000, 20_000, 30_000, 20_000, 20_000, 20_000]);
  const [base, other] = [nameOf("layer", 0), nameOf("layer", 2)];
  const images: readonly PackedImage[] = [
    { digest: nameOf("layer", 1), blobs: [base, nameOf("layer", 1)], others: [], nameBytes: [100, 100] },
    { digest: nameOf("layer", 3), blobs: [other, nameOf("layer", 3)], others: [], nameBytes: [100, 100] },
    { digest: nameOf("layer", 4), blobs: [base, nameOf("layer", 4)], others: [], nameBytes: [100, 100] },
    { digest: nameOf("layer", 5), blobs: [other, nameOf("layer", 5)], others: [], nameBytes: [100, 100] },
  ];
  expect((await packed({ ...request, images })).map(volume => volume.images)).toEqual(
    expect.arrayContaining([
      [0, 2],
      [1, 3],
    ]),
  );
});

test("volumes that are too small for one blob, or for the metadata, are refused", async () => {
  expect(await tryPacked(requestOf(METADATA_BYTES, [100]))).toBeUndefined();
  expect(await tryPacked(requestOf(METADATA_BYTES + 600, [100_000]))).toBeUndefined();
  const whole = requestOf(100_000, [120_000]);
  const blobs = whole.blobs.map(blob => ({ ...blob, isDivisible: false }));
  expect(await tryPacked({ ...whole, blobs })).toBeUndefined();
});
