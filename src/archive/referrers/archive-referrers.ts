import type { Lock } from "../../bundle/lock/lock.ts";
import type { FoundReferrers, Referrer } from "../../content/contracts.ts";
import type { Digest } from "../../oci/digest.ts";
import { OCI_MANIFEST } from "../../oci/media-types.ts";
import { leastLookup, type ReferrersLookup } from "../../oci/referrers/referrers-lookup.ts";
import { parseReferrersTag, referrersTag } from "../../oci/referrers/referrers-tag.ts";
import { claimsAbout, type EntryReferrers } from "../read/entry-referrers.ts";

/** What the lock of an archive claims. */
interface LockedReferrers {
  /** By the digest of their subject, or by the tag that is made from it. */
  readonly found: ReadonlyMap<string, readonly Referrer[]>;
  readonly lookups: ReadonlyMap<Digest, readonly ReferrersLookup[]>;
}

/**
 * What an archive says about what refers to its manifests: by the rows of its lock, and by the entries of `index.json`. Both
 * are claims, which count only as far as the manifests say so.
 *
 * @param readLock undefined for an archive without a lock that can be used.
 */
export function archiveReferrers(
  claims: EntryReferrers["claims"],
  readLock: (signal?: AbortSignal) => Promise<Lock | undefined>,
): (subject: Digest, signal?: AbortSignal) => Promise<FoundReferrers> {
  let locked: Promise<LockedReferrers> | undefined;
  return async (subject, signal) => {
    locked ??= readLock(signal).then(lockedReferrers);
    const { found, lookups } = await locked;
    const lookup = leastLookup(lookups.get(subject) ?? []);
    const stem = referrersTag(subject);
    const byEntry = claimsAbout(subject, claims).map(
      ({ descriptor, tag }): Referrer => (tag === undefined ? { descriptor, subject } : { descriptor, tag }),
    );
    return {
      ...(lookup === undefined ? {} : { lookup }),
      found: [...(found.get(subject) ?? []), ...(found.get(stem) ?? []), ...byEntry],
    };
  };
}

function lockedReferrers(lock: Lock | undefined): LockedReferrers {
  const found = new Map<string, Referrer[]>();
  const lookups = new Map<Digest, ReferrersLookup[]>();
  for (const { manifests, referrers, lookup } of lock?.images ?? []) {
    if (lookup !== undefined) {
      for (const digest of manifests) lookups.set(digest, [...(lookups.get(digest) ?? []), lookup]);
    }
    for (const { digest, subject, tag } of referrers) {
      // Its bytes say what it is.
      const descriptor = { mediaType: OCI_MANIFEST, digest, size: 0 };
      const stem = tag === undefined ? undefined : parseReferrersTag(tag);
      if (subject !== undefined) add(found, subject, { descriptor, subject });
      if (stem?.suffix !== undefined && tag !== undefined) add(found, stem.stem, { descriptor, tag });
    }
  }
  return { found, lookups };
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key) ?? [];
  values.push(value);
  map.set(key, values);
}
