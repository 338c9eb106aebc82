import { lockedReferrers } from "../../archive/lock/locked-referrers.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import type { FindsReferrers } from "../../registry/referrers/referrers-finder.ts";

/** Says what refers to an image as the lock does; asks no registry. */
export function lockedFinder(lock: Lock): FindsReferrers {
  const find = lockedReferrers(lock);
  return { isOffline: true, find: async (_repository, subject) => find(subject) };
}
