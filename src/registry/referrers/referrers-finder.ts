import type { FoundReferrers, Referrer } from "../../content/contracts.ts";
import { NotFoundError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { parseManifest } from "../../oci/manifest.ts";
import { leastLookup, type ReferrersLookup } from "../../oci/referrers/referrers-lookup.ts";
import { COSIGN_SUFFIXES, parseReferrersTag, referrersTag } from "../../oci/referrers/referrers-tag.ts";
import { append } from "../../util/append.ts";
import type { FetchedManifest } from "../api/get-manifest.ts";
import { askReferrers, lookupWithout, type ReferrersAnswer, referringTo } from "../api/referrers.ts";
import { resolveDigest } from "../api/resolve-digest.ts";
import type { TagLists } from "../api/tag-lists.ts";
import { isBadAnswer } from "../client/registry-answer.ts";
import type { Repository } from "../client/repository.ts";

export type FetchTagged = (repository: Repository, tag: string, signal?: AbortSignal) => Promise<FetchedManifest>;

/** What says what refers to a manifest. */
export interface FindsReferrers extends Pick<ReferrersFinder, "find"> {
  /** True if no registry is asked. Default false. */
  readonly isOffline?: boolean | undefined;
}

interface FoundTags {
  readonly lookup: ReferrersLookup;
  readonly tags: readonly string[];
}

/**
 * Finds what refers to the manifests of a run: by the referrers API, by the tag that replaces it, and by cosign's tags. A
 * repository's tags are listed once, because asking for each tag exhausts the quota of a registry
 * (kubernetes-sigs/promo-tools#1271). An API that a repository does not have is asked for once.
 */
export class ReferrersFinder {
  readonly #tagLists: TagLists;
  readonly #onNote: (message: string) => void;
  /** The first answer of each repository's API. */
  readonly #first = new Map<string, Promise<ReferrersLookup | undefined>>();

  constructor(tagLists: TagLists, onNote: (message: string) => void = () => undefined) {
    this.#tagLists = tagLists;
    this.#onNote = onNote;
  }

  /**
   * @param fetch reads a manifest by its tag, and may keep it.
   * @throws NetworkError, RegistryError for answers that say nothing about what refers to the manifest.
   */
  async find(
    repository: Repository,
    subject: Digest,
    fetch: FetchTagged,
    signal?: AbortSignal,
  ): Promise<FoundReferrers> {
    const [api, tagged] = await Promise.all([
      this.#ask(repository, subject, signal),
      this.#tagsOf(repository, subject, signal),
    ]);
    const found: Referrer[] = api.referrers.map(descriptor => ({ descriptor, subject }));
    const lookups = [lookupOf(api.lookup, tagged.lookup)];
    for (const tag of tagged.tags) {
      try {
        append(found, this.#referringBy(tag, subject, await fetch(repository, tag, signal), repository));
      } catch (error) {
        signal?.throwIfAborted();
        const lookup = lookupWithout(error);
        if (lookup === undefined) throw error;
        if (isBadAnswer(error)) this.#onNote(`Ignoring ${repository}:${tag}: ${error.message}`);
        // A tag that was deleted since is none; what cannot be read may be a signature.
        else if (!(error instanceof NotFoundError)) lookups.push("refused");
      }
    }
    return { lookup: leastLookup(lookups), found };
  }

  #referringBy(
    tag: string,
    subject: Digest,
    { descriptor, manifest }: FetchedManifest,
    repository: Repository,
  ): readonly Referrer[] {
    if (parseReferrersTag(tag)?.suffix !== undefined) return [{ descriptor, tag }];
    const view = parseManifest(manifest.bytes, { where: `${repository}:${tag}`, announced: manifest.mediaType });
    if (view.kind === "index")
      return referringTo(subject, view.manifests).map(entry => ({ descriptor: entry, subject }));
    this.#onNote(`Ignoring ${repository}:${tag}: found an image, expected an index of what refers to ${subject}`);
    return [];
  }

  /** Asks the API, unless the repository has shown that it has none. */
  async #ask(repository: Repository, subject: Digest, signal: AbortSignal | undefined): Promise<ReferrersAnswer> {
    const key = keyOf(repository);
    const first = this.#first.get(key);
    if (first === undefined) {
      const asked = askReferrers(repository, subject, undefined, signal);
      const lookup = asked.then(
        answer => answer.lookup,
        () => undefined,
      );
      this.#first.set(key, lookup);
      return await asked;
    }
    const lookup = await first;
    if (lookup === "refused" || lookup === "unsupported") return { lookup, referrers: [] };
    return await askReferrers(repository, subject, undefined, signal);
  }

  /** The tags that are made from the digest. */
  async #tagsOf(repository: Repository, subject: Digest, signal: AbortSignal | undefined): Promise<FoundTags> {
    const stem = referrersTag(subject);
    const names = [stem, ...COSIGN_SUFFIXES.map(suffix => `${stem}${suffix}`)];
    try {
      const listed = await this.#tagLists.tagSetOf(repository, signal);
      return { lookup: "complete", tags: names.filter(tag => listed.has(tag)) };
    } catch (error) {
      signal?.throwIfAborted();
      const lookup = lookupWithout(error);
      if (lookup === undefined) throw error;
      return await probeTags(repository, names, lookup, signal);
    }
  }
}

function keyOf(repository: Repository): string {
  return `${repository.client.base.origin} ${repository}`;
}

/** A list of tags replaces an API that does not exist, but not one that is refused. */
function lookupOf(api: ReferrersLookup, tags: ReferrersLookup): ReferrersLookup {
  if (api === "refused" || tags === "refused") return "refused";
  return api === "complete" || tags === "complete" ? "complete" : "unsupported";
}

/** Asks for each tag, where they cannot be listed: some accounts may pull, and not list (ECR). */
async function probeTags(
  repository: Repository,
  names: readonly string[],
  listing: Exclude<ReferrersLookup, "complete">,
  signal: AbortSignal | undefined,
): Promise<FoundTags> {
  const tags: string[] = [];
  let lookup: ReferrersLookup = listing === "refused" ? "complete" : listing;
  for (const tag of names) {
    try {
      await resolveDigest(repository, tag, signal);
      tags.push(tag);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof NotFoundError) continue;
      const refused = lookupWithout(error);
      if (refused === undefined) throw error;
      // Some registries hide with 403 what is not there: nothing can be said about this tag (imgpkg#548).
      lookup = "refused";
    }
  }
  return { lookup, tags };
}
