import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import type { Lock, LockedImage } from "../../bundle/lock/lock.ts";
import { isLock, MAX_LOCK_BYTES } from "../../bundle/lock/parse-lock.ts";
import { wholeBlobs } from "../../bundle/lock/whole-blobs.ts";
import type { Root } from "../../content/contracts.ts";
import { ArchiveError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { tagNameOf } from "../../oci/names/pinned-names.ts";
import { quote } from "../../util/format.ts";
import { type Archive, readMetadata } from "../archive.ts";
import { checkReadContents, lockDiffers, namesMore, type ReadContents } from "./check-contents.ts";
import type { KnownLocks } from "./known-locks.ts";

/**
 * The lock of an archive. It is a claim: `index.json` decides which bytes a name means, so a lock that says something else
 * is refused.
 *
 * @param images of the archive, as its other files say.
 * @param locks of the same call.
 * @returns undefined for an archive without one, also for those that imgpack 0.1 wrote.
 * @throws ArchiveError for a lock that cannot be read (`parseLock`), and "lock-differs" for one of other images.
 */
export async function readArchiveLock(
  archive: Archive,
  images: readonly Root[],
  locks: KnownLocks,
  signal?: AbortSignal,
): Promise<Lock | undefined> {
  if (!archive.entries.has(LOCK_FILE)) return undefined;
  const bytes = await readMetadata(archive, LOCK_FILE, MAX_LOCK_BYTES, signal);
  if (!isLock(bytes)) return undefined;
  const lock = locks.parse(bytes, `${LOCK_FILE} in ${archive.what}`);
  checkLockedImages(lock, images, archive.what);
  return lock;
}

/**
 * Compares the names and digests in a lock with those of the images. Those of a volume are the images that are whole in it: a
 * part of the lock's, and what refers to them.
 *
 * @throws ArchiveError "lock-differs"
 */
export function checkLockedImages(lock: Lock, images: readonly Root[], what: string): void {
  const locked = new Set(lock.images.map(({ name, digest, written = digest }) => keyOf(tagged(name), written)));
  const isPart = lock.set !== undefined;
  const referring = new Set(
    isPart ? lock.images.flatMap(({ referrers }) => referrers.map(({ digest }) => digest)) : [],
  );
  const present = new Set(
    images.flatMap(root => {
      const digest = root.kind === "settled" ? root.descriptor.digest : undefined;
      if (digest !== undefined && referring.has(digest)) return [];
      return namesOf(root).map(name => keyOf(tagged(name), digest ?? ""));
    }),
  );
  const key = [...(isPart ? [] : locked), ...present].find(one => !locked.has(one) || !present.has(one));
  if (key === undefined) return;
  const which = locked.has(key) ? "it names an image that the archive lacks" : "it lacks an image of the archive";
  throw new ArchiveError(
    "lock-differs",
    `Cannot use ${LOCK_FILE} of ${what}: ${which}, ${quote(key)}, expected the same images`,
    { hint: "The archive was changed after imgpack wrote it: save the images again." },
  );
}

/**
 * Compares what a lock says of the bytes of an archive with what the manifests in it say: which manifests, blobs, sizes and
 * referrers there are.
 *
 * @param given lock of the archive.
 * @param found lock that its images give.
 * @throws ArchiveError "lock-differs"
 */
export function checkLockContents(given: Lock, found: Lock, what: string): void {
  const facts = new Set(factsOf(found));
  const lie = factsOf(given).find(fact => !facts.delete(fact));
  const [missing] = facts;
  if (lie === undefined && missing === undefined) return;
  const which = lie === undefined ? `it lacks ${missing}` : `it has ${lie}, which the archive has not`;
  throw lockDiffers(what, which);
}

function factsOf(lock: Lock): readonly string[] {
  const { images } = lock;
  const referring = images.flatMap(({ digest, written = digest, manifests, referrers }) => [
    ...manifests.map(one => `manifest ${one} of image ${written}`),
    ...referrers.map(
      row => `referrer ${row.digest} of image ${written} with ${row.tag ?? row.subject ?? "no subject"}`,
    ),
  ]);
  const blobs = wholeBlobs(lock);
  return [...new Set([...referring, ...blobs.map(({ digest, size, kind }) => `${kind} ${digest} of ${size} bytes`)])];
}

/**
 * As `readArchiveLock`, for what works without a lock: one that cannot be used is noted, and ignored.
 *
 * @throws ArchiveError "lock-differs" if it alone names referrers: without it, signatures would be left behind.
 */
export async function usableLock(
  archive: Archive,
  images: readonly Root[],
  onNote: (message: string) => void,
  locks: KnownLocks,
  contents: ReadContents | undefined,
  signal?: AbortSignal,
): Promise<Lock | undefined> {
  let lock: Lock | undefined;
  try {
    lock = await readArchiveLock(archive, images, locks, signal);
    if (lock !== undefined && contents !== undefined) checkReadContents(lock, images, contents, archive.what);
    return lock;
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    if (lock !== undefined && contents !== undefined && namesMore(lock, contents)) throw error;
    onNote(`The lock is ignored: ${error.message}`);
    return undefined;
  }
}

/** Finds the row of an image by name and digest in the archive, or else by its digest alone. */
export function lockedImages(lock: Lock): (name: string, written: Digest) => LockedImage | undefined {
  const rows = new Map<string, LockedImage>();
  for (const image of lock.images) {
    const { name, digest, written = digest } = image;
    rows.set(keyOf(name, written), image);
    if (!rows.has(written)) rows.set(written, image);
  }
  return (name, written) => rows.get(keyOf(name, written)) ?? rows.get(written);
}

function namesOf({ names }: Root): readonly string[] {
  return names.length === 0 ? [""] : names;
}

/** A name with tag and digest says no more than one with the tag: readers of archives show one of them. */
function tagged(name: string): string {
  return name === "" ? name : (tagNameOf(name) ?? name);
}

function keyOf(name: string, digest: string): string {
  return `${name} ${digest}`.trim();
}
