import type { Lock } from "../../bundle/lock/lock.ts";
import type { FoundReferrers, Referrer } from "../../content/contracts.ts";
import type { Digest } from "../../oci/digest.ts";
import { lockedReferrers } from "../lock/locked-referrers.ts";
import { claimsAbout, type EntryReferrers } from "../read/entry-referrers.ts";

/**
 * What an archive says about what refers to its manifests: by the rows of its lock, and by the entries of `index.json`. Both
 * are claims, which count only as far as the manifests say so.
 *
 * @param readClaims as `entryReferrers`.
 * @param readLock undefined for an archive without a lock that can be used.
 */
export function archiveReferrers(
  readClaims: () => Promise<EntryReferrers["claims"]>,
  readLock: (signal?: AbortSignal) => Promise<Lock | undefined>,
): (subject: Digest, signal?: AbortSignal) => Promise<FoundReferrers> {
  let locked: Promise<ReturnType<typeof lockedReferrers>> | undefined;
  return async (subject, signal) => {
    locked ??= readLock(signal).then(lockedReferrers);
    const byLock = (await locked)(subject);
    const byEntry = claimsAbout(subject, await readClaims()).map(
      ({ descriptor, tag }): Referrer => (tag === undefined ? { descriptor, subject } : { descriptor, tag }),
    );
    return { ...byLock, found: [...byLock.found, ...byEntry] };
  };
}
