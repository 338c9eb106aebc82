import { lockOf } from "../../bundle/lock/format-lock.ts";
import type { AssumedBlob, Lock, LockedBlob, LockedImage } from "../../bundle/lock/lock.ts";
import { wholeBlobs } from "../../bundle/lock/whole-blobs.ts";
import type { Digest } from "../../oci/digest.ts";
import type { ImageArchive } from "../archive-source.ts";

/**
 * What the locks of several archives say together. A layer that one assumes and another one has is a layer of the whole.
 *
 * @returns undefined if none of them has a lock.
 */
export async function mergedLock(
  archives: readonly ImageArchive[],
  hasBlob: (digest: Digest) => boolean,
  signal: AbortSignal | undefined,
): Promise<Lock | undefined> {
  const locks: Lock[] = [];
  for (const archive of archives) {
    const lock = await archive.lock(signal);
    if (lock !== undefined) locks.push(lock);
  }
  const [first] = locks;
  if (first === undefined) return undefined;
  const images = unique(
    locks.flatMap(lock => lock.images),
    ({ name, digest }) => (name === "" ? digest : name),
  );
  const names = new Set(images.map(({ name }) => name));
  const assumes = unique(
    locks.flatMap(lock => lock.assumes ?? []),
    ({ digest }) => digest,
  );
  const lacking = assumes.filter(({ digest }) => !hasBlob(digest));
  const found = wholeBlobs({ blobs: [], assumes: assumes.filter(({ digest }) => hasBlob(digest)) });
  const bases = locks.flatMap(lock => lock.bases ?? []);
  return lockOf({
    platforms: agreed(locks, lock => lock.platforms.join()) ? first.platforms : ["all"],
    sparse: agreed(locks, lock => lock.sparse) ? first.sparse : "keep",
    referrers: locks.some(lock => lock.referrers),
    ...(first.layers !== undefined && agreed(locks, lock => lock.layers) ? { layers: first.layers } : {}),
    images,
    left: unique(
      locks.flatMap(lock => lock.left.filter(({ name }) => !names.has(name))),
      ({ name }) => name,
    ),
    blobs: unitedRows([...locks.flatMap(lock => lock.blobs), ...found]),
    ...(lacking.length === 0 ? {} : { assumes: lacking, bases }),
  });
}

function agreed(locks: readonly Lock[], key: (lock: Lock) => unknown): boolean {
  return new Set(locks.map(key)).size === 1;
}

function unique<T extends LockedImage | AssumedBlob | Lock["left"][number]>(
  rows: readonly T[],
  key: (row: T) => string,
): readonly T[] {
  const found = new Map<string, T>();
  for (const row of rows) if (!found.has(key(row))) found.set(key(row), row);
  return [...found.values()];
}

/** A blob can be had from wherever one of them says. */
function unitedRows(blobs: readonly LockedBlob[]): readonly LockedBlob[] {
  const found = new Map<Digest, LockedBlob>();
  for (const blob of blobs) {
    const known = found.get(blob.digest);
    const repositories = [...(known?.repositories ?? []), ...blob.repositories];
    found.set(blob.digest, { ...(known ?? blob), repositories });
  }
  return [...found.values()];
}
