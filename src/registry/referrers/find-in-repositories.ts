import type { FoundReferrers } from "../../content/contracts.ts";
import type { Digest } from "../../oci/digest.ts";
import { leastLookup } from "../../oci/referrers/referrers-lookup.ts";
import type { FetchedManifest, ReadManifest } from "../api/get-manifest.ts";
import type { Repository } from "../client/repository.ts";
import type { FetchTagged, FindsReferrers } from "./referrers-finder.ts";

export interface FindInOptions {
  /** As `getManifest`. */
  readonly read: ReadManifest;
  /** Takes each manifest that was read on the way. */
  readonly keep: (repository: Repository, fetched: FetchedManifest) => void;
  /** Is told which repository has the referrers. */
  readonly locate: (repository: Repository, digests: readonly Digest[]) => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

/** What refers to a manifest in any of the repositories that it came from. */
export async function findInRepositories(
  finder: FindsReferrers,
  repositories: readonly Repository[],
  subject: Digest,
  { read, keep, locate, signal }: FindInOptions,
): Promise<FoundReferrers> {
  const fetch: FetchTagged = async (repository, tag, stop) => {
    const fetched = await read(repository, tag, { signal: stop });
    if (fetched.payload === undefined) keep(repository, fetched);
    return fetched;
  };
  const find = async (repository: Repository): Promise<FoundReferrers> => {
    const answer = await finder.find(repository, subject, fetch, signal);
    const digests = answer.found.map(({ descriptor }) => descriptor.digest);
    await locate(repository, digests);
    return answer;
  };
  const answers = await Promise.all(repositories.map(find));
  const lookup = leastLookup(answers.map(({ lookup }) => lookup));
  return { ...(lookup === undefined ? {} : { lookup }), found: answers.flatMap(({ found }) => found) };
}
