import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { planShards, type ShardImage, type ShardPlan } from "../../src/bundle/shards/plan-shards.ts";

const MB = 1_000_000;

/** Few digests, so that images share some in every way. */
const IMAGES: fc.Arbitrary<readonly ShardImage[]> = fc
  .array(
    fc.array(fc.nat({ max: 25 }), { maxLength: 8 }).map(blobs => blobs.map(blob => ({ digest: `blob ${blob}` }))),
    { maxLength: 40 },
  )
  .chain(images =>
    fc.array(fc.nat({ max: 500 * MB }), { minLength: 26, maxLength: 26 }).map(sizes =>
      images.map((blobs, index) => ({
        key: `image ${index}`,
        blobs: blobs.map(({ digest }) => ({ digest, size: sizes[Number(digest.slice(5))] ?? 0 })),
      })),
    ),
  );
const SHARDS = fc.integer({ min: 1, max: 70 });

describe("planShards()", () => {
  test("gives each image to exactly one shard, whatever N is", () => {
    fc.assert(
      fc.property(IMAGES, SHARDS, (images, of) => {
        const { loads } = planShards(images, of);
        expect(loads).toHaveLength(of);
        expect(loads.flatMap(load => load.images).sort()).toEqual(images.map(({ key }) => key).sort());
      }),
    );
  });

  test("does not depend on the order of the images, of their blobs, or on names given twice", () => {
    fc.assert(
      fc.property(IMAGES, SHARDS, fc.infiniteStream(fc.nat()), (images, of, numbers) => {
        const next = (): number => numbers.next().value ?? 0;
        const shuffled = images
          .flatMap(image => (next() % 3 === 0 ? [image, image] : [image]))
          .map(image => ({ ...image, blobs: image.blobs.toReversed() }))
          .map(image => [next(), image] as const)
          .sort(([left], [right]) => left - right)
          .map(([, image]) => image);
        expect(planShards(shuffled, of)).toEqual(planShards(images, of));
      }),
    );
  });

  test("states what each shard sends, and what may be sent twice", () => {
    fc.assert(
      fc.property(IMAGES, SHARDS, (images, of) => {
        const { loads, twice } = planShards(images, of);
        const needed = loads.map(load => blobsOf(images, load.images));
        const uses = new Map<string, number>();
        for (const own of needed) for (const digest of own.keys()) uses.set(digest, (uses.get(digest) ?? 0) + 1);
        const shared = (own: ReadonlyMap<string, number>): ReadonlyMap<string, number> =>
          new Map([...own].filter(([digest]) => (uses.get(digest) ?? 0) > 1));
        expect(loads.map(({ blobs, bytes }) => ({ blobs, bytes }))).toEqual(needed.map(sumOf));
        expect(loads.map(load => load.twice)).toEqual(needed.map(own => sumOf(shared(own))));
        const all = blobsOf(images, undefined);
        expect(twice.blobs).toBe(shared(all).size);
        expect(twice.bytes).toBe(needed.reduce((sum, own) => sum + sumOf(own).bytes, 0) - sumOf(all).bytes);
      }),
    );
  });

  test("is complete after any run that does all shards, however often some of them are killed", () => {
    fc.assert(
      fc.property(IMAGES, SHARDS, fc.array(fc.nat({ max: 9 }), { maxLength: 70 }), (images, of, killedAfter) => {
        const tagged = new Map<string, number>();
        const { loads } = planShards(images, of);
        const run = (shard: number, most: number): void => {
          for (const key of loads[shard]?.images.slice(0, most) ?? []) tagged.set(key, (tagged.get(key) ?? 0) + 1);
        };
        for (const [shard, most] of killedAfter.entries()) run(shard, most);
        for (const key of tagged.keys()) expect(images.some(image => image.key === key)).toBe(true);
        for (let shard = 0; shard < of; shard += 1) run(shard, images.length);
        expect([...tagged.keys()].sort()).toEqual(images.map(({ key }) => key).sort());
      }),
    );
  });

  test.each([
    ["many bases", 12, 0.16],
    ["one base for all", 1, 0.25],
  ])("fills no shard over 1.2 times the ideal: 1,000 images of real sizes, %s", (_, bases, mostTwice) => {
    for (const seed of [1, 2, 3]) {
      const images = realImages(1000, bases, seed);
      const all = sumOf(blobsOf(images, undefined)).bytes;
      const largest = Math.max(...images.map(({ key }) => sumOf(blobsOf(images, [key])).bytes));
      for (const of of [1, 2, 7, 8, 16, 32, 64]) {
        const { loads, twice } = planShards(images, of);
        const fullest = Math.max(...loads.map(({ bytes }) => bytes));
        expect.soft(fullest / Math.max(all / of, largest), `seed ${seed}, ${of} shards`).toBeLessThanOrEqual(1.2);
        expect.soft(twice.bytes / all, `seed ${seed}, ${of} shards`).toBeLessThanOrEqual((mostTwice * of) / 64);
      }
    }
  });

  test.each([8, 64, 200])("fills no shard over 1.1 times the least, if all images share a base: %i shards", of => {
    for (const baseBytes of [5 * MB, 100 * MB, 300 * MB, 500 * MB]) {
      const base = { digest: "base", size: baseBytes };
      const images = Array.from({ length: 2000 }, (_, index) => ({
        key: `image ${index}`,
        blobs: [base, { digest: `blob ${index}`, size: (20 + (index % 80)) * MB }],
      }));
      const all = sumOf(blobsOf(images, undefined)).bytes;
      const { loads, twice } = planShards(images, of);
      const fullest = Math.max(...loads.map(({ bytes }) => bytes));
      const least = baseBytes + (all - baseBytes) / of;
      expect.soft(fullest / least, `${baseBytes} bytes`).toBeLessThanOrEqual(1.1);
      // What is sent again is never as much as all images.
      expect.soft(twice.bytes).toBeLessThanOrEqual(baseBytes * (of - 1));
      expect.soft(twice.bytes).toBeLessThanOrEqual(all);
    }
  });

  test("sends a large base no more often than there are bytes to save: the other shards are empty", () => {
    const base = { digest: "base", size: 1000 * MB };
    const images = Array.from({ length: 1000 }, (_, index) => ({
      key: `image ${index}`,
      blobs: [base, { digest: `blob ${index}`, size: MB }],
    }));
    const { loads, twice } = planShards(images, 64);
    expect(twice.bytes).toBeLessThanOrEqual(2000 * MB);
    expect(loads.filter(load => load.images.length > 0)).toHaveLength(3);
  });

  test("takes the larger one of two sizes that are stated for one blob", () => {
    const images = [1, 2].map(size => ({ key: `image ${size}`, blobs: [{ digest: "blob", size }] }));
    expect(planShards(images, 1).loads).toEqual([
      { images: ["image 1", "image 2"], blobs: 1, bytes: 2, twice: { blobs: 0, bytes: 0 } },
    ]);
  });

  test("takes steps in proportion to the images: 20,000 blobs", () => {
    const steps = [2000, 4000].map(count => lookUps(() => planShards(realImages(count, 12, 1), 32)));
    expect((steps[1] ?? 0) / (steps[0] ?? 1)).toBeLessThan(2.5);
  });
});

function lookUps(plan: () => ShardPlan): number {
  const spies = [vi.spyOn(Set.prototype, "has"), vi.spyOn(Set.prototype, "add"), vi.spyOn(Map.prototype, "get")];
  try {
    plan();
    return spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  } finally {
    vi.restoreAllMocks();
  }
}

/** @param keys default all. */
function blobsOf(images: readonly ShardImage[], keys: readonly string[] | undefined): ReadonlyMap<string, number> {
  const chosen = keys === undefined ? undefined : new Set(keys);
  const own = images.filter(({ key }) => chosen?.has(key) ?? true);
  return new Map(own.flatMap(({ blobs }) => blobs.map(({ digest, size }) => [digest, size] as const)));
}

function sumOf(blobs: ReadonlyMap<string, number>): { readonly blobs: number; readonly bytes: number } {
  return { blobs: blobs.size, bytes: [...blobs.values()].reduce((sum, size) => sum + size, 0) };
}

/** From 0 to 1, the same for a seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Sizes as in registries: many of tens of megabytes, few of more than a gigabyte. Some bases are used more than others. */
function realImages(count: number, bases: number, seed: number): readonly ShardImage[] {
  const next = randomNumbers(seed);
  const size = (median: number): number =>
    Math.round(
      MB * Math.min(1500, median * Math.exp(1.1 * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(6.283 * next()))),
    );
  const blobs = (name: string, number: number, median: number): readonly { digest: string; size: number }[] =>
    Array.from({ length: number }, (_, index) => ({ digest: `${name}.${index}`, size: size(median) }));
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * next() * from.length)] as T;
  const systems = blobs("system", bases, 50);
  const runtimes = blobs("runtime", bases * 4, 90).map(blob => [blob, pick(systems)] as const);
  return Array.from({ length: count }, (_, index) => {
    const below = next() < 0.7 ? pick(runtimes) : [pick(systems)];
    const own = blobs(`layer ${index}`, 1 + Math.floor(next() * 8), 12);
    return { key: `image ${index}`, blobs: [{ digest: `config ${index}`, size: 4000 }, ...below, ...own] };
  });
}
