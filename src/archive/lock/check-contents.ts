import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import type { Lock, LockedBlob, LockedImage } from "../../bundle/lock/lock.ts";
import { wholeBlobs } from "../../bundle/lock/whole-blobs.ts";
import type { Root } from "../../content/contracts.ts";
import { ArchiveError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isIndexType, isManifestType } from "../../oci/media-types.ts";
import { parseReferrersTag } from "../../oci/referrers/referrers-tag.ts";
import { labelOf } from "./plan-lock.ts";

/** An entry of `index.json`. */
interface ReadRoot {
  readonly descriptor: Descriptor;
  readonly tags: readonly string[];
  /** Manifests below it that are present. */
  readonly parts: ReadonlySet<Digest>;
  /** Entries of its own manifest, if that is an index. */
  readonly listed: readonly Descriptor[];
}

/** Bytes of what the manifests name. */
interface NamedSizes {
  readonly configs: ReadonlyMap<Digest, number>;
  readonly layers: ReadonlyMap<Digest, number>;
}

interface PresentBlobs {
  size(digest: Digest): number | undefined;
  unclaimed(claimed: ReadonlySet<Digest>): readonly { readonly digest: Digest }[];
}

/** What the manifests of an archive say, as far as they were read when it was opened. */
export interface ReadContents {
  /** Entries of `index.json`: images, and what refers to them. */
  readonly roots: readonly ReadRoot[];
  /** Entries that only list referrers, in place of the referrers API: a lock has no row for them. */
  readonly lists: ReadonlySet<Digest>;
  readonly named: NamedSizes;
  /** Bytes of a blob that the archive has. */
  readonly sizeOf: (digest: Digest) => number | undefined;
  /** Blobs that the archive has and that are not among these. */
  readonly unclaimed: (claimed: ReadonlySet<Digest>) => readonly { readonly digest: Digest }[];
}

/**
 * Compares what a lock says of manifests, blobs, sizes, platforms and referrers with what the manifests of the archive say. The
 * lock of a volume may say more: other volumes have it.
 *
 * @param images of the archive; other entries refer to them.
 * @throws ArchiveError "lock-differs"
 */
export function checkReadContents(lock: Lock, images: readonly Root[], contents: ReadContents, what: string): void {
  const [first] = differences(lock, images, contents);
  if (first === undefined) return;
  throw lockDiffers(what, first);
}

/** Whether the lock names referrers that the archive has and that no entry of `index.json` names, as under cosign's tags. */
export function namesMore(lock: Lock, { roots, sizeOf }: ReadContents): boolean {
  const named = new Set(roots.map(({ descriptor }) => descriptor.digest));
  return lock.images.some(({ referrers }) =>
    referrers.some(({ digest }) => !named.has(digest) && sizeOf(digest) !== undefined),
  );
}

/** @param difference "it lacks …", or "it has …, which the archive has not". */
export function lockDiffers(what: string, difference: string): ArchiveError {
  return new ArchiveError(
    "lock-differs",
    `Cannot use ${LOCK_FILE} of ${what}: ${difference}, expected what the images say`,
    {
      hint: "The archive was changed after imgpack wrote it: save the images again.",
    },
  );
}

function* differences(lock: Lock, images: readonly Root[], contents: ReadContents): Generator<string, void> {
  const isPart = lock.set !== undefined;
  const rows = new Map(wholeBlobs(lock).map(row => [row.digest, row]));
  const roots = contents.roots.filter(({ descriptor }) => !contents.lists.has(descriptor.digest));
  const present = new Map(roots.map(root => [root.descriptor.digest, root]));
  const kinds = kindsOf(contents, present);
  for (const [digest, { kind, size }] of kinds) {
    const row = rows.get(digest);
    if (row === undefined) yield `it lacks ${kind} ${digest}`;
    else if (row.kind !== kind || row.size !== size)
      yield `it has ${row.kind} ${digest} of ${row.size} bytes, and the archive ${kind} of ${size}`;
  }
  for (const { digest } of contents.unclaimed(new Set([...rows.keys(), ...contents.lists])))
    yield `it lacks blob ${digest}`;
  // What cosign's tags lead to is in no index.json, and is not read here.
  for (const { digest, kind, size } of isPart ? [] : rows.values()) {
    if (!kinds.has(digest) && contents.sizeOf(digest) !== size) yield unknown(kind, digest);
  }
  for (const image of lock.images) {
    const root = present.get(image.written ?? image.digest);
    if (root !== undefined) yield* imageDifferences(image, root, isPart);
  }
  if (lock.referrers) yield* referrerDifferences(lock, images, present, contents);
}

type Kinds = ReadonlyMap<Digest, Pick<LockedBlob, "kind" | "size">>;

function kindsOf({ named, sizeOf }: ReadContents, present: ReadonlyMap<Digest, ReadRoot>): Kinds {
  const found = new Map<Digest, Pick<LockedBlob, "kind" | "size">>();
  for (const [digest, size] of named.layers) found.set(digest, { kind: "layer", size });
  for (const [digest, size] of named.configs) found.set(digest, { kind: "config", size });
  for (const [top, { parts }] of present) {
    for (const digest of [top, ...parts]) {
      const size = sizeOf(digest);
      if (size !== undefined) found.set(digest, { kind: "manifest", size });
    }
  }
  return found;
}

function* imageDifferences(image: LockedImage, root: ReadRoot, isPart: boolean): Generator<string, void> {
  const { digest } = root.descriptor;
  const manifests = new Set(image.manifests);
  const found = new Set([digest, ...root.parts]);
  for (const one of found) if (!manifests.has(one)) yield `it lacks manifest ${one} of image ${digest}`;
  // What one volume lacks of an index is in another one.
  if (isPart) return;
  for (const one of manifests) if (!found.has(one)) yield unknown("manifest", one);
  // What an index below an index lists is not kept.
  if (root.listed.some(({ mediaType }) => isIndexType(mediaType))) return;
  const lacking = root.listed.filter(child => isManifestType(child.mediaType) && !found.has(child.digest)).map(labelOf);
  const absent = new Set(image.absent);
  for (const label of lacking)
    if (!absent.delete(label) && !image.absent.includes(label))
      yield `it lacks ${label} of image ${digest}, which is left out`;
  for (const label of absent)
    yield `it says that ${label} of image ${digest} is left out, which its index does not name`;
}

function* referrerDifferences(
  { images: rows, blobs, set }: Lock,
  images: readonly Root[],
  present: ReadonlyMap<Digest, ReadRoot>,
  { sizeOf }: ReadContents,
): Generator<string, void> {
  const own = new Set(images.flatMap(root => (root.kind === "settled" ? [root.descriptor.digest] : [])));
  const listed = new Set(rows.flatMap(({ referrers }) => referrers.map(({ digest }) => digest)));
  for (const digest of present.keys()) if (!own.has(digest) && !listed.has(digest)) yield `it lacks referrer ${digest}`;
  if (set !== undefined) return;
  for (const digest of listed) if (sizeOf(digest) === undefined) yield unknown("referrer", digest);
  // One that is not read may be an index, whose manifests are in no row.
  const read = new Set([...present].flatMap(([digest, { parts }]) => [digest, ...parts]));
  if ([...listed].some(digest => !read.has(digest))) return;
  const lost = blobs.find(({ kind, digest }) => kind === "manifest" && !read.has(digest));
  if (lost !== undefined) yield `it lacks referrer ${lost.digest}`;
}

function unknown(kind: string, digest: Digest): string {
  return `it has ${kind} ${digest}, which the archive has not`;
}

export function readContents(roots: readonly ReadRoot[], named: NamedSizes, blobs: PresentBlobs): ReadContents {
  const lists = roots.filter(({ tags }) => tags.some(tag => isListTag(tag)));
  return {
    roots,
    lists: new Set(lists.map(({ descriptor }) => descriptor.digest)),
    named,
    sizeOf: digest => blobs.size(digest),
    unclaimed: claimed => blobs.unclaimed(claimed),
  };
}

function isListTag(tag: string): boolean {
  const made = parseReferrersTag(tag);
  return made !== undefined && made.suffix === undefined;
}
