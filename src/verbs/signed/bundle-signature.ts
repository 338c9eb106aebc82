import type { Archive } from "../../archive/archive.ts";
import type { ArchiveSource } from "../../archive/archive-source.ts";
import type { KnownLocks } from "../../archive/lock/known-locks.ts";
import { readStoredLock } from "../../archive/lock/stored-lock.ts";
import { ImgpackError, IntegrityError, NotFoundError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { type PublicKey, parsePublicKey } from "../../oci/signatures/public-key.ts";
import { checkFollowsLock } from "./follows-lock.ts";

/** What public keys say about the signature of an archive's lock, which names all that is in it. */
export interface BundleSignature {
  /** "refused" if it is there and does not count. */
  readonly state: "signed" | "unsigned" | "refused";
  /** sha256 of the key that made it, in DER (SubjectPublicKeyInfo); only if "signed". */
  readonly key?: Digest;
  /** Id of the lock; only if "signed". */
  readonly lock?: Digest;
  /** Why it is not "signed": a full sentence. */
  readonly message?: string;
}

/** @param pems texts of one or several keys, of which one must have signed. @throws UsageError */
export function parsePublicKeys(pems: readonly string[], where: string): readonly PublicKey[] {
  return pems.map(pem => parsePublicKey(pem, where));
}

export interface AllowedSignatures {
  readonly keys: readonly PublicKey[];
  /** Of the same call: the volumes of a set have one. */
  readonly locks: KnownLocks;
}

/** Checks the signature of an archive, and that the archive contains what its lock says. */
export async function bundleSignature(
  source: ArchiveSource,
  allowed: AllowedSignatures,
  signal: AbortSignal | undefined,
): Promise<BundleSignature> {
  try {
    const { key, lock } = await checkSignature(source, allowed, signal);
    return { state: "signed", key: key.id, lock };
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ImgpackError)) throw error;
    return { state: error instanceof NotFoundError ? "unsigned" : "refused", message: error.message };
  }
}

/**
 * As `bundleSignature`.
 *
 * @throws NotFoundError for an archive without a signature; IntegrityError for one by another key, and for one of another
 * lock or of other contents; ArchiveError for a lock that cannot be read.
 */
export async function checkSignature(
  source: ArchiveSource,
  { keys, locks }: AllowedSignatures,
  signal: AbortSignal | undefined,
): Promise<{ readonly key: PublicKey; readonly lock: Digest }> {
  const { archive } = source;
  const stored = await readStoredLock(archive, signal);
  if (stored?.signature === undefined) throw unsigned(archive, stored === undefined);
  const { bytes, signature } = stored;
  const key = keys.find(one => one.signsLock(bytes, signature));
  if (key === undefined) throw foreign(archive);
  // These bytes and no others: reading them again could give other ones.
  const lock = locks.parse(bytes, `imgpack.json in ${archive.what}`);
  await checkFollowsLock(source, lock, signal);
  return { key, lock: lock.id };
}

function unsigned({ what }: Archive, hasNoLock: boolean): NotFoundError {
  const found = hasNoLock ? "it has no lock, and so no signature" : "it is not signed";
  return new NotFoundError(`Cannot accept ${what}: ${found}, expected a signature by a key that was given`, {
    hint: "Have it signed where it is made, with --sign.",
  });
}

function foreign({ what }: Archive): IntegrityError {
  const found = "its signature is not by a key that was given, or is of another lock";
  return new IntegrityError(`Cannot accept ${what}: ${found}, expected a signature of its imgpack.json by such a key`, {
    hint: "Another key signed it, or its lock was altered: ask who sent it.",
  });
}
