import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Base, BaseBlob, Bundle, BundleImage } from "../../../../src/bundle/base/bundle.ts";
import { compareBundles } from "../../../../src/bundle/base/compare-bundles.ts";
import { lockedBundle } from "../../../../src/bundle/base/locked-bundle.ts";
import { lockOf } from "../../../../src/bundle/lock/format-lock.ts";
import type { Lock, LockedBlob, LockedImage } from "../../../../src/bundle/lock/lock.ts";
import type { Digest } from "../../../../src/oci/digest.ts";

const digestOf = (number: number): Digest => `sha256:${number.toString(16).padStart(64, "0")}`;
const REPOSITORY = "r.lan/team/app";

interface Described {
  /** Name, number of the digest, numbers of blobs. */
  readonly images: readonly (readonly [string, number, readonly number[]])[];
  /** The size of a blob is its number. */
  readonly sizes?: ReadonlyMap<number, number>;
}

function bundleOf({ images, sizes = new Map() }: Described): Bundle {
  const blobs = new Map<Digest, BaseBlob>();
  /** Images with the same blobs share the list of them. */
  const parts = new Map<string, BundleImage["parts"]>();
  const rows = images.map(([name, digest, numbers]): BundleImage => {
    const key = numbers.join();
    const shared = parts.get(key) ?? [numbers.map(digestOf)];
    parts.set(key, shared);
    for (const number of numbers)
      blobs.set(digestOf(number), { size: sizes.get(number) ?? number, kind: "layer", repositories: [] });
    return { name, digest: digestOf(digest), parts: shared };
  });
  return { where: "x.tar", kind: "archive", images: rows, blobs, hasRawLayers: false };
}

const app = (tag: string): string => `${REPOSITORY}:${tag}`;

describe("compareBundles", () => {
  test("names are new, changed, unchanged or gone, and each blob that no base has counts once", () => {
    const old = bundleOf({
      images: [
        [app("1"), 901, [1, 10]],
        [app("2"), 902, [1, 20]],
        [app("3"), 903, [1, 30]],
      ],
    });
    const next = bundleOf({
      images: [
        [app("4"), 905, [1, 40, 50]],
        [app("2"), 904, [1, 40]],
        [app("1"), 901, [1, 10]],
        [app("5"), 905, [1, 40, 50]],
      ],
    });
    expect(compareBundles(next, [old])).toEqual({
      images: [
        {
          name: app("1"),
          state: "unchanged",
          digest: digestOf(901),
          was: [{ base: 0, digest: digestOf(901) }],
          bytes: 0,
        },
        {
          name: app("2"),
          state: "changed",
          digest: digestOf(904),
          was: [{ base: 0, digest: digestOf(902) }],
          bytes: 40,
        },
        { name: app("3"), state: "gone", was: [{ base: 0, digest: digestOf(903) }], bytes: 0 },
        { name: app("4"), state: "new", digest: digestOf(905), was: [], bytes: 50 },
        { name: app("5"), state: "new", digest: digestOf(905), was: [], bytes: 0 },
      ],
      bytes: { new: 90, shared: 11, gone: 50, unassigned: 0 },
    });
  });

  test("bases add up: a name that one of them has as it is now is unchanged, and both meanings are listed", () => {
    const one = bundleOf({ images: [[app("1"), 901, [1]]] });
    const other = bundleOf({ images: [[app("1"), 902, [2]]] });
    const { images, bytes } = compareBundles(bundleOf({ images: [[app("1"), 902, [1, 2, 3]]] }), [one, other]);
    expect(images).toEqual([
      {
        name: app("1"),
        state: "unchanged",
        digest: digestOf(902),
        was: [
          { base: 0, digest: digestOf(901) },
          { base: 1, digest: digestOf(902) },
        ],
        bytes: 3,
      },
    ]);
    expect(bytes).toEqual({ new: 3, shared: 3, gone: 0, unassigned: 0 });
  });

  test("nothing is there in an empty base", () => {
    const found = compareBundles(bundleOf({ images: [[app("1"), 901, [4, 5]]] }), [bundleOf({ images: [] })]);
    expect(found.bytes).toEqual({ new: 9, shared: 0, gone: 0, unassigned: 0 });
    expect(found.images.map(({ state }) => state)).toEqual(["new"]);
  });

  test("a digest next to a tag does not make another name of it, and a name with a digest alone is its own", () => {
    const pinned = (digest: number): string => `${REPOSITORY}@${digestOf(digest)}`;
    const old = bundleOf({
      images: [
        [`${app("1")}@${digestOf(901)}`, 901, [1]],
        [pinned(903), 903, [3]],
      ],
    });
    const next = bundleOf({
      images: [
        [app("1"), 902, [2]],
        [pinned(904), 904, [4]],
      ],
    });
    expect(compareBundles(next, [old]).images.map(({ name, state }) => [name, state])).toEqual([
      [app("1"), "changed"],
      [pinned(903), "gone"],
      [pinned(904), "new"],
    ]);
  });

  test("an image without a name is there if a base has its digest under any name", () => {
    const old = bundleOf({
      images: [
        [app("1"), 901, [1]],
        ["", 902, [2]],
        ["", 903, [3]],
      ],
    });
    const next = bundleOf({
      images: [
        ["", 901, [1]],
        ["", 904, [4]],
        [app("2"), 902, [2]],
      ],
    });
    expect(compareBundles(next, [old]).images.map(({ name, digest, state }) => [name, digest, state])).toEqual([
      ["", digestOf(901), "unchanged"],
      ["", undefined, "gone"],
      ["", digestOf(904), "new"],
      [app("1"), undefined, "gone"],
      [app("2"), digestOf(902), "new"],
    ]);
  });

  test("a blob of another size under the same digest is not there", () => {
    const old = bundleOf({ images: [[app("1"), 901, [7]]], sizes: new Map([[7, 6]]) });
    expect(compareBundles(bundleOf({ images: [[app("1"), 901, [7]]] }), [old]).bytes.new).toBe(7);
  });
});

const NAMES = [
  "",
  app("1"),
  app("2"),
  `${app("1")}@${digestOf(901)}`,
  `r.lan/b@${digestOf(902)}`,
  "docker.io/library/c:x",
];
const described: fc.Arbitrary<Described> = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom(...NAMES),
      fc.integer({ min: 900, max: 904 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 6 }),
    ),
    { maxLength: 6, selector: ([name, digest]) => `${name} ${digest}` },
  )
  .map(images => ({ images }));

const keyOf = (name: string, digest: string): string => (name === "" ? digest : name.replace(/(:[^:/@]+)@.*$/, "$1"));

test("any bundle and any bases: states partition the names, and bytes are those of a recount", () => {
  fc.assert(
    fc.property(described, fc.array(described, { maxLength: 3 }), (next, others) => {
      const bundle = bundleOf(next);
      const bases: readonly Base[] = others.map(bundleOf);
      const { images, bytes } = compareBundles(bundle, bases);

      // Every name of the bundle once, and each name of a base that the bundle lacks once.
      const present = images.filter(({ state }) => state !== "gone");
      expect(present.map(({ name, digest }) => `${name} ${digest}`).sort()).toEqual(
        next.images.map(([name, digest]) => `${name} ${digestOf(digest)}`).sort(),
      );
      const mine = new Set(bundle.images.map(({ name, digest }) => keyOf(name, digest)));
      const digests = new Set(bundle.images.map(({ digest }) => digest));
      const theirs = bases.flatMap(base => base.images);
      const lost = theirs.filter(
        ({ name, digest }) => !mine.has(keyOf(name, digest)) && !(name === "" && digests.has(digest)),
      );
      const gone = images.filter(({ state }) => state === "gone");
      expect(gone.map(({ name, was }) => keyOf(name, was[0]?.digest ?? "")).sort()).toEqual(
        [...new Set(lost.map(({ name, digest }) => keyOf(name, digest)))].sort(),
      );
      for (const { name, digest, state } of present) {
        const same = theirs.filter(one =>
          name === "" ? one.digest === digest : keyOf(one.name, one.digest) === keyOf(name, digest ?? ""),
        );
        const expected = same.some(one => one.digest === digest) ? "unchanged" : same.length > 0 ? "changed" : "new";
        expect(state).toBe(expected);
      }

      // A blob is as large as its number says.
      const mineNumbers = new Set(next.images.flatMap(([, , numbers]) => numbers));
      const theirNumbers = new Set(others.flatMap(other => other.images.flatMap(([, , numbers]) => numbers)));
      const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, one) => total + one, 0);
      expect(bytes).toEqual({
        new: sum([...mineNumbers].filter(one => !theirNumbers.has(one))),
        shared: sum([...mineNumbers].filter(one => theirNumbers.has(one))),
        gone: sum([...theirNumbers].filter(one => !mineNumbers.has(one))),
        unassigned: 0,
      });
      expect(sum(images.map(image => image.bytes))).toBe(bytes.new);
      expect(images.every(image => image.bytes === 0 || image.state !== "gone")).toBe(true);
    }),
  );
});

describe("lockedBundle", () => {
  const blob = (number: number, repositories: readonly string[], kind: LockedBlob["kind"] = "layer"): LockedBlob => ({
    digest: digestOf(number),
    size: number,
    kind,
    repositories,
  });
  const image = (name: string, digest: number): LockedImage => ({
    name,
    digest: digestOf(digest),
    manifests: [digestOf(digest)],
    absent: [],
    referrers: [],
  });
  const lockWith = (images: readonly LockedImage[], blobs: readonly LockedBlob[]): Lock =>
    lockOf({ platforms: ["all"], sparse: "keep", referrers: false, images, left: [], blobs });

  test("layers that images of one repository have count for the first that is new or changed", () => {
    const next = lockWith(
      [image(app("1"), 901), image(app("2"), 902), image(app("3"), 903), image("r.lan/z:1", 904)],
      [
        ...[901, 902, 903].map(number => blob(number, [REPOSITORY], "manifest")),
        blob(904, ["r.lan/z"], "manifest"),
        blob(10, [REPOSITORY]),
        blob(20, [REPOSITORY, "r.lan/z"]),
        blob(30, ["r.lan/z"]),
      ],
    );
    const old = lockWith([image(app("1"), 901)], [blob(901, [REPOSITORY], "manifest")]);
    const { images, bytes } = compareBundles(lockedBundle(next, "next"), [lockedBundle(old, "old")]);
    expect(images.map(one => [one.name, one.state, one.bytes])).toEqual([
      [app("1"), "unchanged", 0],
      [app("2"), "new", 902 + 10 + 20],
      [app("3"), "new", 903],
      ["r.lan/z:1", "new", 904 + 30],
    ]);
    expect(bytes).toEqual({ new: 902 + 903 + 904 + 60, shared: 901, gone: 0, unassigned: 0 });
  });

  test("layers of unknown repositories count in the sum alone; an image is what was written, from where it came", () => {
    const lock = lockWith(
      [{ ...image("r.lan/b:1", 901), written: digestOf(902), from: REPOSITORY, manifests: [digestOf(902)] }],
      [blob(902, [REPOSITORY], "manifest"), blob(10, [REPOSITORY]), blob(40, [])],
    );
    const { images, bytes } = compareBundles(lockedBundle(lock, "next"), []);
    expect(images).toEqual([{ name: "r.lan/b:1", state: "new", digest: digestOf(902), was: [], bytes: 912 }]);
    expect(bytes).toEqual({ new: 952, shared: 0, gone: 0, unassigned: 40 });
  });
});
