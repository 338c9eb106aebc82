import fc from "fast-check";
import { expect, test } from "vitest";
import { formatLock, lockOf } from "../../src/bundle/lock/format-lock.ts";
import type {
  AssumedBlob,
  LockContents,
  LockedBlob,
  LockedImage,
  LockedReferrer,
  LockedSet,
} from "../../src/bundle/lock/lock.ts";
import { parseLock } from "../../src/bundle/lock/parse-lock.ts";
import type { Digest } from "../../src/oci/digest.ts";

const digest: fc.Arbitrary<Digest> = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 64, maxLength: 64 }),
    fc.constantFrom("a".repeat(64), "b".repeat(64)),
  )
  .map((hex): Digest => `sha256:${hex}`);
const repository = fc.constantFrom("docker.io/library/nginx", "quay.io/a/b", "r.lan:5000/x", "[::1]:5000/a__b");
const name = fc.oneof(
  fc.tuple(repository, fc.constantFrom("1", "latest", "v1.2_x")).map(parts => parts.join(":")),
  fc.tuple(repository, digest).map(parts => parts.join("@")),
  fc.constant(""),
);
const platform = fc.constantFrom("linux/amd64", "linux/arm/v7", "windows(10.0.20348.1)/amd64");
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

/** Without the keys of undefined values: the types do not allow them. */
function defined<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return value.map(
    one => Object.fromEntries(Object.entries(one as object).filter(([, field]) => field !== undefined)) as T,
  );
}

const referrer = defined(
  fc.record({
    digest,
    subject: optional(digest),
    type: optional(fc.constantFrom("application/spdx+json")),
    tag: optional(fc.constantFrom("sha256-1.sig")),
  }),
) as fc.Arbitrary<LockedReferrer>;
const image = defined(
  fc.record({
    name,
    digest,
    written: optional(digest),
    from: optional(repository),
    platforms: optional(fc.array(platform)),
    manifests: fc.array(digest, { maxLength: 3 }),
    absent: fc.array(platform, { maxLength: 3 }),
    referrers: fc.array(referrer, { maxLength: 3 }),
    lookup: optional(fc.constantFrom("complete" as const, "refused" as const, "unsupported" as const)),
  }),
) as fc.Arbitrary<LockedImage>;
const blob: fc.Arbitrary<LockedBlob> = fc.record({
  digest,
  size: fc.maxSafeNat(),
  kind: fc.constantFrom("manifest" as const, "config" as const, "layer" as const),
  repositories: fc.array(repository, { maxLength: 3 }),
});
const assumed = defined(
  fc.record({
    digest,
    size: fc.maxSafeNat(),
    repositories: fc.array(repository, { maxLength: 3 }),
    sources: optional(fc.array(repository, { maxLength: 3 })),
  }),
) as fc.Arbitrary<AssumedBlob>;
const contents = defined(
  fc.record({
    platforms: fc.array(platform),
    sparse: fc.constantFrom("keep" as const, "prune" as const, "fail" as const),
    referrers: fc.boolean(),
    layers: optional(fc.constantFrom("gzip" as const, "zstd" as const, "raw" as const)),
    images: fc.uniqueArray(image, { selector: one => (one.name === "" ? one.digest : one.name), maxLength: 5 }),
    left: fc.array(fc.record({ name: fc.constantFrom("r.lan/gone:1", "r.lan/x:1"), why: fc.constant("not found") })),
    blobs: fc.uniqueArray(blob, { selector: one => one.digest, maxLength: 5 }),
    bases: optional(fc.array(digest, { maxLength: 2 })),
    assumes: optional(fc.uniqueArray(assumed, { selector: one => one.digest, maxLength: 3 })),
  }),
).map(({ assumes, ...more }) => {
  const carried = new Set(more.blobs.map(one => one.digest));
  return { ...more, ...(assumes && { assumes: assumes.filter(one => !carried.has(one.digest)) }) };
}) as fc.Arbitrary<LockContents>;
const inSet = fc.tuple(contents, digest).chain(([one, id]) =>
  fc
    .record({
      number: fc.constantFrom(1, 2),
      where: fc.array(fc.constantFrom<LockedSet["where"][number]>(1, 2, [1, 2]), {
        minLength: one.blobs.length,
        maxLength: one.blobs.length,
      }),
    })
    .map(({ number, where }): LockContents => ({ ...one, set: { id, number, of: 2, where } })),
);

const parsed = (text: string): unknown => parseLock(Buffer.from(text), { where: "test" });

test("parseLock(formatLock(x)) is x, and a lock is a text of itself", () => {
  fc.assert(
    fc.property(contents, one => {
      const text = formatLock(one);
      const lock = lockOf(one);
      expect(parsed(text)).toEqual(lock);
      expect(formatLock(lock)).toBe(text);
    }),
    { numRuns: 100 },
  );
});

test("the same images in any order give the same lock, byte for byte", () => {
  const shuffled = contents.chain(one =>
    fc.record({
      one: fc.constant(one),
      images: fc.shuffledSubarray([...one.images], { minLength: one.images.length }),
      blobs: fc.shuffledSubarray([...one.blobs], { minLength: one.blobs.length }),
      left: fc.shuffledSubarray([...one.left], { minLength: one.left.length }),
      platforms: fc.shuffledSubarray([...one.platforms], { minLength: one.platforms.length }),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ one, ...others }) => {
      expect(formatLock({ ...one, ...others })).toBe(formatLock(one));
    }),
    { numRuns: 100 },
  );
});

test("any edit of a lock that changes its meaning is noticed", () => {
  fc.assert(
    fc.property(contents, fc.nat(), fc.constantFrom(..."019afx[]{}:,/ \n"), (one, position, letter) => {
      const text = formatLock(one);
      const at = position % text.length;
      const edited = `${text.slice(0, at)}${letter}${text.slice(at + 1)}`;
      try {
        expect(parsed(edited)).toEqual(lockOf(one));
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_ARCHIVE" });
      }
    }),
    { numRuns: 200 },
  );
});

test("all volumes of a bundle have its id, and each blob keeps its place when they are sorted", () => {
  fc.assert(
    fc.property(inSet, one => {
      const { set, ...bundle } = one;
      const lock = parseLock(Buffer.from(formatLock(one)), { where: "test" });
      expect(lock.id).toBe(lockOf(bundle).id);
      const places = (from: LockContents): Map<Digest, unknown> =>
        new Map(from.blobs.map((row, index) => [row.digest, from.set?.where[index]]));
      expect(places(lock)).toEqual(places(one));
      expect(lock.set).toMatchObject({ number: set?.number, of: 2 });
    }),
    { numRuns: 100 },
  );
});
