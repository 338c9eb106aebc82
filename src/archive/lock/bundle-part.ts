import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import { isLock, MAX_LOCK_BYTES } from "../../bundle/lock/parse-lock.ts";
import type { Need } from "../../bundle/need/need.ts";
import { isNeed, parseNeed } from "../../bundle/need/parse-need.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { type Archive, readMetadata } from "../archive.ts";
import type { KnownLocks } from "./known-locks.ts";

/** What a file says of a bundle that needs other files: a volume, a delta, a patch. */
export type BundlePart =
  | {
      readonly kind: "locked";
      readonly lock: Lock;
      /** Only of a damaged archive: descriptors of images, as far as its `index.json` is left. The lock names the images. */
      readonly roots?: ReadonlyMap<Digest, Descriptor>;
    }
  | { readonly kind: "patch"; readonly need: Need };

/**
 * Whether an archive is only a part of a bundle. Any other archive is described by its other files, and its lock is read when
 * it is needed.
 *
 * @param locks of the same call.
 * @returns undefined for an archive that needs no other.
 * @throws ArchiveError for a part whose lock or need list cannot be read: nothing else says what it needs.
 */
export async function readBundlePart(
  archive: Archive,
  locks: KnownLocks,
  signal?: AbortSignal,
): Promise<BundlePart | undefined> {
  const entry = archive.entries.get(LOCK_FILE);
  if (entry?.type !== "file" || entry.size > MAX_LOCK_BYTES) return undefined;
  const bytes = await readMetadata(archive, LOCK_FILE, MAX_LOCK_BYTES, signal);
  const where = `${LOCK_FILE} in ${archive.what}`;
  if (isNeed(bytes)) return { kind: "patch", need: parseNeed(bytes, { where }) };
  if (!isPartOfBundle(bytes)) return undefined;
  return { kind: "locked", lock: locks.parse(bytes, where) };
}

/** Whether the contents of `imgpack.json` say that the archive needs other files, or may need them. */
export function isPartOfBundle(bytes: Uint8Array): boolean {
  if (isNeed(bytes)) return true;
  if (!isLock(bytes)) return false;
  // Most have neither, and a lock may have megabytes.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!text.includes('"assumes"') && !text.includes('"set"')) return false;
  return /"(?:assumes|set)"\s*:/.test(text.toString("latin1"));
}
