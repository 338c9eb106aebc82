import type { Lock } from "../../bundle/lock/lock.ts";
import type { FoundReferrers, Referrer } from "../../content/contracts.ts";
import type { Digest } from "../../oci/digest.ts";
import { OCI_MANIFEST } from "../../oci/media-types.ts";
import { leastLookup, type ReferrersLookup } from "../../oci/referrers/referrers-lookup.ts";
import { parseReferrersTag, referrersTag } from "../../oci/referrers/referrers-tag.ts";
import { appendTo } from "../../util/append.ts";

/** What a lock says of what refers to a manifest. @param lock undefined: nothing is known. */
export function lockedReferrers(lock: Lock | undefined): (subject: Digest) => FoundReferrers {
  const sizes = new Map(lock?.blobs.map(({ digest, size }) => [digest, size]));
  /** By the digest of their subject, or by the tag that is made from it. */
  const found = new Map<string, Referrer[]>();
  const lookups = new Map<Digest, ReferrersLookup[]>();
  for (const { manifests, referrers, lookup } of lock?.images ?? []) {
    if (lookup !== undefined) for (const digest of manifests) appendTo(lookups, digest, lookup);
    for (const { digest, subject, tag } of referrers) {
      // Its bytes say what it is.
      const descriptor = { mediaType: OCI_MANIFEST, digest, size: sizes.get(digest) ?? 0 };
      const made = tag === undefined ? undefined : parseReferrersTag(tag);
      if (subject !== undefined) appendTo(found, subject, { descriptor, subject });
      if (made?.suffix !== undefined && tag !== undefined) appendTo(found, made.stem, { descriptor, tag });
    }
  }
  return subject => {
    const lookup = leastLookup(lookups.get(subject) ?? []);
    return {
      ...(lookup === undefined ? {} : { lookup }),
      found: [...(found.get(subject) ?? []), ...(found.get(referrersTag(subject)) ?? [])],
    };
  };
}
