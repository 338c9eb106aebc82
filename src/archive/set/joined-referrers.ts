import type { FoundReferrers, Referrer } from "../../content/contracts.ts";
import { leastLookup } from "../../oci/referrers/referrers-lookup.ts";
import type { ImageArchive } from "../archive-source.ts";

/** What several archives say about what refers to a manifest. */
export function joinedReferrers(archives: readonly ImageArchive[]): ImageArchive["referrers"] {
  return async (subject, signal) => {
    const answers: FoundReferrers[] = [];
    for (const archive of archives) answers.push(await archive.referrers(subject, signal));
    const lookup = leastLookup(answers.map(answer => answer.lookup));
    const found = new Map<string, Referrer>();
    for (const referrer of answers.flatMap(answer => answer.found)) {
      const key = [referrer.descriptor.digest, referrer.subject ?? "", referrer.tag ?? ""].join(" ");
      if (!found.has(key)) found.set(key, referrer);
    }
    return { ...(lookup === undefined ? {} : { lookup }), found: [...found.values()] };
  };
}
