import type { Archive } from "../../archive/archive.ts";
import { readStoredLock } from "../../archive/lock/stored-lock.ts";
import { ArchiveError } from "../../errors.ts";
import { digestOf } from "../../oci/digest.ts";
import type { SignLock } from "../../oci/signatures/lock-signature.ts";

/**
 * The signature of an archive, for an output with the very lock: it is as right there, no matter who made it. Any other output is
 * written without one, which is noted.
 *
 * @param files that are converted: one of them, or a patch next to it, can be damaged.
 */
export async function carriedSignature(
  files: readonly Archive[],
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<SignLock | undefined> {
  const signed: (readonly [lock: Uint8Array, signature: Uint8Array])[] = [];
  for (const file of files) {
    const stored = await readStored(file, signal);
    if (stored?.signature !== undefined) signed.push([stored.bytes, stored.signature]);
  }
  if (signed.length === 0) return undefined;
  let isNoted = false;
  return lock => {
    const [, signature] = signed.find(([bytes]) => Buffer.compare(lock, bytes) === 0) ?? [];
    if (signature !== undefined) return { bytes: signature, id: digestOf(signature), isAlike: () => false };
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
