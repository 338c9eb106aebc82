import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import { isLock, MAX_LOCK_BYTES } from "../../bundle/lock/parse-lock.ts";
import { MAX_LOCK_SIGNATURE_BYTES } from "../../oci/signatures/lock-signature.ts";
import { type Archive, readMetadata } from "../archive.ts";
import { SIGNATURE_FILE } from "../entry-names.ts";

/** The lock of an archive as it is stored, and the signature of these bytes, both unchecked. */
export interface StoredLock {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array | undefined;
}

/**
 * @returns undefined for an archive without a lock.
 * @throws ArchiveError as `readMetadata`.
 */
export async function readStoredLock(archive: Archive, signal?: AbortSignal): Promise<StoredLock | undefined> {
  if (!archive.entries.has(LOCK_FILE)) return undefined;
  const bytes = await readMetadata(archive, LOCK_FILE, MAX_LOCK_BYTES, signal);
  if (!isLock(bytes)) return undefined;
  const isSigned = archive.entries.has(SIGNATURE_FILE);
  const signature = isSigned
    ? await readMetadata(archive, SIGNATURE_FILE, MAX_LOCK_SIGNATURE_BYTES, signal)
    : undefined;
  return { bytes, signature };
}
