import { digestOf } from "../../oci/digest.ts";
import { jsonLines } from "./json-lines.ts";
import type {
  AssumedBlob,
  LeftImage,
  Lock,
  LockContents,
  LockedBlob,
  LockedImage,
  LockedReferrer,
  LockedSet,
} from "./lock.ts";

/** The lock of an archive. Loaders ignore it. */
export const LOCK_FILE = "imgpack.json";
/** Value of the field `format`. */
export const LOCK_FORMAT = "imgpack-lock";
/** Value of the field `version`. */
export const LOCK_VERSION = 1;
/** A blob that many images share would fill the lock with the names of their repositories. */
export const MAX_REPOSITORIES = 16;

/**
 * The text of a lock: JSON with one image or blob per line, sorted, without a time, host or path. The same images give the
 * same text on any machine and in any order.
 */
export function formatLock(contents: LockContents): string {
  const sorted = canonical(contents);
  const body = bodyOf(sorted);
  return textOf(body, { ...sorted, id: idOf(body) });
}

/** The lock as its text has it: sorted, with its id. */
export function lockOf(contents: LockContents): Lock {
  const sorted = canonical(contents);
  const lock = { id: idOf(bodyOf(sorted)), ...sorted };
  sortedContents.set(lock, lock);
  return lock;
}

/** sha256 of the text without the fields `id`, `needs` and `set`. */
function idOf(body: string): Lock["id"] {
  return digestOf(Buffer.from(textOf(body)));
}

/** @param body the part that the id covers: a lock may have millions of characters, which are made once. */
function textOf(body: string, { id, needs, set }: Partial<Pick<Lock, "id" | "needs" | "set">> = {}): string {
  return [
    `{"format":"${LOCK_FORMAT}","version":${LOCK_VERSION},${id === undefined ? "" : `"id":"${id}",`}\n`,
    body,
    needs === undefined ? "" : `,\n"needs":[${jsonLines(needs)}]`,
    set === undefined ? "" : `,\n"set":${JSON.stringify(set)}`,
    "}\n",
  ].join("");
}

function bodyOf({ platforms, sparse, referrers, layers, images, left, blobs, bases, assumes }: LockContents): string {
  return [
    `"platforms":${JSON.stringify(platforms)},"sparse":"${sparse}","referrers":${referrers}`,
    `${layers === undefined ? "" : `,"layers":"${layers}"`},\n`,
    `"images":[${jsonLines(images.map(fieldsOf))}],\n"left":[${jsonLines(left)}],\n"blobs":[${blobs.map(rowText).join(",")}]`,
    bases === undefined ? "" : `,\n"bases":${JSON.stringify(bases)}`,
    assumes === undefined ? "" : `,\n"assumes":[${jsonLines(assumes.map(assumedRow))}]`,
  ].join("");
}

/** What the text of an image is made of: `JSON.stringify` leaves undefined fields out. */
function fieldsOf(image: LockedImage): object {
  const { absent, referrers } = image;
  return {
    ...image,
    absent: absent.length === 0 ? undefined : absent,
    referrers: referrers.length === 0 ? undefined : referrers,
  };
}

/** The line of a blob. Neither a digest nor a kind has anything to escape, and an archive has tens of thousands of them. */
function rowText({ digest, size, kind, repositories }: LockedBlob): string {
  return `\n["${digest}",${size},"${kind}",${repositories.length === 0 ? "[]" : JSON.stringify(repositories)}]`;
}

function assumedRow({ digest, size, repositories, sources }: AssumedBlob): readonly unknown[] {
  return [digest, size, repositories, ...(sources === undefined ? [] : [sources])];
}

/** Contents in their order, by those in any order: tens of thousands of rows are sorted once. */
const sortedContents = new WeakMap<LockContents, LockContents>();

function canonical(contents: LockContents): LockContents {
  const known = sortedContents.get(contents);
  if (known !== undefined) return known;
  const found = sortContents(contents);
  sortedContents.set(contents, found);
  return found;
}

function sortContents(contents: LockContents): LockContents {
  const { platforms, sparse, referrers, layers, images, left, blobs, bases, assumes, needs, set } = contents;
  const rest = {
    platforms: sorted(platforms),
    sparse,
    referrers,
    ...(layers === undefined ? {} : { layers }),
    images: images
      .map(canonicalImage)
      .sort((left, right) => compared(left.name, right.name) || compared(left.digest, right.digest)),
    left: left.map(({ name, why }): LeftImage => ({ name, why })).sort(by(({ name, why }) => [name, why])),
    ...canonicalBlobs(blobs, set),
    ...(bases === undefined ? {} : { bases: sorted(bases) }),
    ...(assumes === undefined
      ? {}
      : { assumes: assumes.map(canonicalAssumed).sort((left, right) => compared(left.digest, right.digest)) }),
  };
  // Its indexes mean the rows as they were.
  const isSorted = needs !== undefined && rowNames(rest).join("\n") === rowNames(contents).join("\n");
  return { ...rest, ...(isSorted ? { needs } : {}) };
}

function rowNames({ images, blobs }: Pick<LockContents, "images" | "blobs">): readonly string[] {
  return [...images.map(({ name, digest }) => `${name} ${digest}`), ...blobs.map(({ digest }) => digest)];
}

/** With its fields in one order. */
function canonicalImage(image: LockedImage): LockedImage {
  const { name, digest, written, from, platforms, manifests, absent, referrers, lookup } = image;
  return {
    name,
    digest,
    ...(written === undefined ? {} : { written }),
    ...(from === undefined ? {} : { from }),
    ...(platforms === undefined ? {} : { platforms: sorted(platforms) }),
    manifests: sorted(manifests),
    absent: sorted(absent),
    referrers: referrers.map(canonicalReferrer).sort(by(one => [one.digest, one.tag ?? "", one.subject ?? ""])),
    ...(lookup === undefined ? {} : { lookup }),
  };
}

function canonicalReferrer({ digest, subject, type, tag }: LockedReferrer): LockedReferrer {
  return {
    digest,
    ...(subject === undefined ? {} : { subject }),
    ...(type === undefined ? {} : { type }),
    ...(tag === undefined ? {} : { tag }),
  };
}

/** With the places in a set, which have the order of the blobs. */
function canonicalBlobs(blobs: readonly LockedBlob[], set: LockedSet | undefined): Pick<LockContents, "blobs" | "set"> {
  const rows = blobs.map((blob, index) => ({ blob: canonicalBlob(blob), volume: set?.where[index] ?? [] }));
  rows.sort((left, right) => compared(left.blob.digest, right.blob.digest));
  const sortedBlobs = rows.map(({ blob }) => blob);
  if (set === undefined) return { blobs: sortedBlobs };
  const { id, number, of } = set;
  return { blobs: sortedBlobs, set: { id, number, of, where: rows.map(({ volume }) => volume) } };
}

function canonicalAssumed({ digest, size, repositories, sources = repositories }: AssumedBlob): AssumedBlob {
  const held = firstOf(repositories);
  const named = firstOf(sources);
  return { digest, size, repositories: held, ...(held.join() === named.join() ? {} : { sources: named }) };
}

function canonicalBlob({ digest, size, kind, repositories }: LockedBlob): LockedBlob {
  return { digest, size, kind, repositories: firstOf(repositories) };
}

function firstOf(repositories: readonly string[]): readonly string[] {
  return sorted(repositories).slice(0, MAX_REPOSITORIES);
}

/** By code units: a locale differs between machines. */
function sorted<T extends string>(texts: readonly T[]): readonly T[] {
  return [...new Set(texts)].sort();
}

function compared(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}

function by<T>(keys: (value: T) => readonly string[]): (left: T, right: T) => number {
  return (left, right) => {
    const others = keys(right);
    for (const [index, key] of keys(left).entries()) {
      const other = others[index] ?? "";
      if (key !== other) return key < other ? -1 : 1;
    }
    return 0;
  };
}
