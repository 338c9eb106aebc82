import type { Archive } from "../../archive/archive.ts";
import { readStoredLock } from "../../archive/lock/stored-lock.ts";
import { ArchiveError } from "../../errors.ts";
import { digestOf } from "../../oci/digest.ts";
import type { SignLock } from "../../oci/signatures/lock-signature.ts";

/**
 * The signature of an archive, for an output with the very lock: it is as right there, whoever made it. Any other output is
 * written without one, which is noted.
 */
export async function carriedSignature(
  archive: Archive,
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<SignLock | undefined> {
  const stored = await readStored(archive, signal);
  const signature = stored?.signature;
  if (stored === undefined || signature === undefined) return undefined;
  let isNoted = false;
  return lock => {
    if (Buffer.compare(lock, stored.bytes) === 0)
      return { bytes: signature, id: digestOf(signature), isAlike: () => false };
    if (!isNoted) onNote("The signature is left out: it is of another lock. Sign the output with --sign");
    isNoted = true;
    return undefined;
  };
}

/** What cannot be read is no signature. */
async function readStored(archive: Archive, signal: AbortSignal | undefined): ReturnType<typeof readStoredLock> {
  try {
    return await readStoredLock(archive, signal);
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}
