import type { Digest } from "../../oci/digest.ts";
import { tagNameOf } from "../../oci/names/pinned-names.ts";
import { appendTo } from "../../util/append.ts";
import { type Base, type Bundle, type BundleImage, holdsBlob, type NamedDigest } from "./bundle.ts";

/** "gone": a base names it, the bundle does not. */
export type ImageState = "new" | "changed" | "unchanged" | "gone";

/** What a name meant in a base. */
export interface DigestInBase {
  /** Place of the base in the list of bases, from 0. */
  readonly base: number;
  readonly digest: Digest;
}

/** An image of a bundle, or of a base, and what became of it. */
export interface ComparedImage {
  /** Full name with a tag, a digest, or both; empty for an image without a name. */
  readonly name: string;
  readonly state: ImageState;
  /**
   * Of the manifest or index; of the config for an image of a docker archive, which has no manifest yet. Absent for an
   * image that is gone.
   */
  readonly digest?: Digest;
  /** What the name meant in each base that has it. */
  readonly was: readonly DigestInBase[];
  /** Sum over its blobs that no base has and that no other image counts: each counts for one image alone. */
  readonly bytes: number;
}

/** Bytes of blobs, each blob counted once. */
export interface ComparedBytes {
  /** In the bundle, and in no base. */
  readonly new: number;
  /** In the bundle, and in a base. */
  readonly shared: number;
  /** In a base, and not in the bundle. */
  readonly gone: number;
  /** Part of `new` that belongs to no image that a lock names: not 0 only for a lock without repositories. */
  readonly unassigned: number;
}

export interface ComparedBundles {
  /** Sorted by name, then by digest. */
  readonly images: readonly ComparedImage[];
  readonly bytes: ComparedBytes;
}

/**
 * Compares a bundle with the union of bases. An image is unchanged if its name means the same in one of them.
 *
 * Two names that differ only in a digest next to the tag are one name.
 */
export function compareBundles(bundle: Bundle, bases: readonly Base[]): ComparedBundles {
  const known = namesOf(bases);
  const isNew = newBlobsOf(bundle, bases);
  const states = bundle.images.map(image => ({ image, ...stateOf(image, known) }));
  // A blob of an image that is there as it was can be new only where a lock does not say whose it is.
  const inOrder = [...states].sort(
    (left, right) =>
      Number(left.state === "unchanged") - Number(right.state === "unchanged") || byName(left.image, right.image),
  );
  const bytesOf = bytesByImage(
    inOrder.map(({ image }) => image),
    bundle,
    isNew,
  );
  const rows = states.map(
    ({ image, state, was }): ComparedImage => ({
      name: image.name,
      state,
      digest: image.digest,
      was,
      bytes: bytesOf.get(image) ?? 0,
    }),
  );
  const all = [...bundle.blobs].reduce((sum, [, { size }]) => sum + size, 0);
  const fresh = [...isNew].reduce((sum, digest) => sum + (bundle.blobs.get(digest)?.size ?? 0), 0);
  const assigned = rows.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    images: [...rows, ...goneImages(bundle, known)].sort((left, right) => byName(digestNow(left), digestNow(right))),
    bytes: { new: fresh, shared: all - fresh, gone: goneBytes(bundle, bases), unassigned: fresh - assigned },
  };
}

interface KnownNames {
  /** By the name without a digest next to its tag, or by the digest of an image without a name. */
  readonly byKey: ReadonlyMap<string, readonly (NamedDigest & DigestInBase)[]>;
  readonly byDigest: ReadonlyMap<Digest, readonly DigestInBase[]>;
}

function namesOf(bases: readonly Base[]): KnownNames {
  const byKey = new Map<string, (NamedDigest & DigestInBase)[]>();
  const byDigest = new Map<Digest, DigestInBase[]>();
  for (const [base, { images }] of bases.entries()) {
    const seen = new Set<string>();
    for (const { name, digest } of images) {
      const key = keyOf({ name, digest });
      if (seen.has(`${key} ${digest}`)) continue;
      seen.add(`${key} ${digest}`);
      appendTo(byKey, key, { name, base, digest });
      if (!seen.has(digest)) appendTo(byDigest, digest, { base, digest });
      seen.add(digest);
    }
  }
  return { byKey, byDigest };
}

function stateOf(image: NamedDigest, { byKey, byDigest }: KnownNames): Pick<ComparedImage, "state" | "was"> {
  const found = image.name === "" ? byDigest.get(image.digest) : byKey.get(keyOf(image));
  const was = (found ?? []).map(({ base, digest }) => ({ base, digest }));
  if (was.some(({ digest }) => digest === image.digest)) return { state: "unchanged", was };
  return { state: was.length > 0 ? "changed" : "new", was };
}

function goneImages({ images }: Bundle, { byKey }: KnownNames): readonly ComparedImage[] {
  const keys = new Set(images.map(keyOf));
  const digests = new Set(images.map(({ digest }) => digest));
  return [...byKey].flatMap(([key, was]): readonly ComparedImage[] => {
    const [first] = was;
    if (first === undefined || keys.has(key) || (first.name === "" && digests.has(first.digest))) return [];
    const found = was.map(({ base, digest }) => ({ base, digest }));
    return [{ name: first.name, state: "gone", was: found, bytes: 0 }];
  });
}

function newBlobsOf({ blobs }: Bundle, bases: readonly Base[]): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  for (const [digest, { size }] of blobs) {
    if (!bases.some(base => holdsBlob(base, digest, size))) found.add(digest);
  }
  return found;
}

/** Each blob counts for the first image that has it. */
function bytesByImage(
  images: readonly BundleImage[],
  { blobs }: Bundle,
  isNew: ReadonlySet<Digest>,
): ReadonlyMap<BundleImage, number> {
  const left = new Set(isNew);
  const walked = new Set<BundleImage["parts"] | readonly Digest[]>();
  const found = new Map<BundleImage, number>();
  for (const image of images) {
    let bytes = 0;
    if (walked.has(image.parts)) continue;
    walked.add(image.parts);
    for (const part of image.parts) {
      if (walked.has(part)) continue;
      walked.add(part);
      for (const digest of part) if (left.delete(digest)) bytes += blobs.get(digest)?.size ?? 0;
    }
    found.set(image, bytes);
  }
  return found;
}

function goneBytes({ blobs }: Bundle, bases: readonly Base[]): number {
  const gone = new Map(
    bases.flatMap(base => [...base.blobs].flatMap(([digest, { size }]) => (blobs.has(digest) ? [] : [[digest, size]]))),
  );
  return [...gone.values()].reduce((sum, size) => sum + size, 0);
}

function keyOf({ name, digest }: NamedDigest): string {
  return name === "" ? digest : (tagNameOf(name) ?? name);
}

interface Sorted {
  readonly name: string;
  readonly digest: string;
}

/** An image that is gone has the digest that it had. */
function digestNow({ name, digest, was }: ComparedImage): Sorted {
  return { name, digest: digest ?? was[0]?.digest ?? "" };
}

function byName(left: Sorted, right: Sorted): number {
  return compare(left.name, right.name) || compare(left.digest, right.digest);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
