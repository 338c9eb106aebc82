import { hasGlob, matchesRepository } from "../../bundle/list/reference-glob.ts";
import { ImgpackError, NotFoundError, UsageError } from "../../errors.ts";
import { formatV1Reference, parseV1Reference, type V1Reference } from "../../oci/legacy/v1-reference.ts";
import { tagsThere } from "../../oci/nearest-tags.ts";
import { isTag } from "../../oci/reference.ts";
import { readingAnswer } from "../../registry/client/registry-answer.ts";
import { v1RepositoryName } from "../../registry/v1/v1-names.ts";
import type { V1Repository, V1Session, V1Store } from "../../registry/v1/v1-store.ts";
import { counted, quote } from "../../util/format.ts";
import { runBounded } from "../../util/task-group.ts";
import type { RequestedImage } from "../requested/requested-image.ts";
import { type StoreSearch, searchStore, unlistedIn } from "./search-store.ts";
import { unusableTag } from "./unusable-tag.ts";

/** Repositories whose tags are listed at once. */
const CONCURRENCY = 6;

/** A tag of a v1 repository that a call is about. */
export interface V1Found {
  /** `v1://HOST/NAMESPACE/REPOSITORY:TAG`, or the same of a folder. */
  readonly source: string;
  readonly store: V1Store;
  readonly repository: V1Repository;
  readonly tag: string;
  /** Name that it gets in place of its own. */
  readonly name?: string;
  /** The repository, opened once in a run. */
  readonly session: (signal: AbortSignal | undefined) => Promise<V1Session>;
}

export interface ExpandedV1 {
  /** In the order of the references, and of the registry. Each once. */
  readonly images: readonly V1Found[];
  /** Number of repositories that were looked at. */
  readonly repositories: number;
  readonly repositoriesWithoutTags: number;
  /** What could not be replaced by images. Empty without `onFailed`. */
  readonly failed: readonly { readonly source: string; readonly error: ImgpackError }[];
  /** Repositories that a registry listed, whether they are wanted or not. */
  readonly listed: readonly { readonly store: V1Store; readonly repository: V1Repository }[];
}

export interface ExpandV1Options {
  readonly stores: { storeFor(name: V1Reference["store"], signal?: AbortSignal): Promise<V1Store> };
  /** Collects what fails. Default false: it is an error. */
  readonly keepGoing?: boolean | undefined;
  readonly onNote: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The images that v1 references mean. Each registry is searched once, and for wildcards in repositories alone; a reference
 * without wildcards costs no request. Repositories that a search names and that are gone count as those without tags.
 *
 * @throws UsageError, BadReferenceError; NotFoundError if nothing matches a reference; AuthError, NetworkError, RegistryError.
 */
export async function expandV1(requested: readonly RequestedImage[], options: ExpandV1Options): Promise<ExpandedV1> {
  const wanted = requested.map(image => ({ image, reference: wantedReference(image) }));
  const expander = new V1Expander(options);
  for (const { image, reference } of wanted) await expander.add(image, reference);
  return expander.result();
}

function wantedReference({ reference: text, platform, digest, name }: RequestedImage): V1Reference {
  const reference = parseV1Reference(text);
  if (reference.glob === undefined && reference.name === undefined) {
    throw new UsageError(`Cannot use ${quote(text)}: found no repository, expected one`, {
      hint: `All of them are ${text.replace(/\/+$/, "")}${reference.store.kind === "folder" ? "//" : "/"}**.`,
    });
  }
  if (platform !== undefined && platform.length > 0)
    throw new UsageError(`Cannot use ${quote(text)}: found a platform, expected none: an image of v1 has one alone`);
  if (digest !== undefined)
    throw new UsageError(`Cannot use ${quote(text)}: found a digest, expected none: v1 has no digests`);
  if (name !== undefined && reference.glob !== undefined)
    throw new UsageError(`Cannot use ${quote(text)}: found one name for all that match, expected none`);
  return reference;
}

interface Listing {
  readonly repository: V1Repository;
  readonly tags: readonly string[];
}

class V1Expander {
  readonly #options: ExpandV1Options;
  readonly #images = new Map<string, V1Found>();
  readonly #repositories = new Set<string>();
  readonly #empty = new Set<string>();
  readonly #failed: { readonly source: string; readonly error: ImgpackError }[] = [];
  readonly #searches = new Map<V1Store, Promise<StoreSearch>>();

  constructor(options: ExpandV1Options) {
    this.#options = options;
  }

  async add(image: RequestedImage, reference: V1Reference): Promise<void> {
    const source = formatV1Reference(reference);
    await this.#attempt(source, async () => {
      const { signal, stores } = this.#options;
      const store = await stores.storeFor(reference.store, signal);
      const { namespace, name: repositoryName, tag = "latest", glob } = reference;
      if (namespace === undefined || repositoryName === undefined)
        return await this.#addAll(store, reference, glob ?? "**");
      const repository = { namespace, name: repositoryName };
      if (!hasGlob(tag)) return this.#found({ store, repository, tag, name: image.name });
      const listing = await this.#list(store, repository, signal);
      this.#match(store, [listing], tag, source, image.name);
    });
  }

  async result(): Promise<ExpandedV1> {
    const listed: { readonly store: V1Store; readonly repository: V1Repository }[] = [];
    for (const [store, search] of this.#searches)
      for (const repository of (await search.catch(() => undefined))?.repositories ?? [])
        listed.push({ store, repository });
    return {
      images: [...this.#images.values()],
      repositories: this.#repositories.size,
      repositoriesWithoutTags: this.#empty.size,
      failed: this.#failed,
      listed,
    };
  }

  async #addAll(store: V1Store, { tag = "*", ...reference }: V1Reference, glob: string): Promise<void> {
    const search = this.#searches.get(store) ?? searchStore(store, this.#options.signal);
    this.#searches.set(store, search);
    const found = await search;
    for (const { namespace, error } of unlistedIn(found, glob))
      this.#fail({ source: formatV1Reference({ store: reference.store, glob: `${namespace}/*` }), error });
    const matching = found.repositories.filter(repository => matchesRepository(glob, nameOf(repository)));
    const listings: Listing[] = [];
    await runBounded(
      matching.entries(),
      CONCURRENCY,
      async ([index, repository], signal) => {
        const name = formatV1Reference({ store: reference.store, ...repository });
        await this.#attempt(name, async () => {
          listings[index] = await this.#list(store, repository, signal).catch(gone(repository));
        });
      },
      this.#options.signal,
    );
    this.#match(store, listings.filter(Boolean), tag, formatV1Reference({ ...reference, tag }));
  }

  async #list(store: V1Store, repository: V1Repository, signal: AbortSignal | undefined): Promise<Listing> {
    const session = await store.open(repository, signal);
    return { repository, tags: await session.tags(signal) };
  }

  #match(store: V1Store, listings: readonly Listing[], tag: string, source: string, name?: string): void {
    let matches = 0;
    const seen = new Set<string>();
    for (const { repository, tags } of listings) {
      this.#count(store, repository);
      if (tags.length === 0) this.#empty.add(v1RepositoryName(store, repository));
      for (const found of tags) {
        if (!matchesRepository(anyPart(tag), found)) continue;
        matches += 1;
        seen.add(nameOf(repository));
        if (isTag(found)) this.#found({ store, repository, tag: found, name });
        else this.#fail(unusableTag(v1RepositoryName(store, repository), found));
      }
    }
    const { onNote } = this.#options;
    if (matches === 0) {
      if (this.#failed.length > 0) return;
      const all = listings.reduce((sum, { tags }) => sum + tags.length, 0);
      throw new NotFoundError(
        `Cannot find ${quote(source)}: none of ${counted(all, "tag")} in ${counted(listings.length, "repository", "repositories")} matches, expected one`,
        { hint: noMatchHint(store, listings, tag) },
      );
    }
    onNote(
      `${quote(source)} matches ${counted(matches, "tag")} in ${counted(seen.size, "repository", "repositories")}`,
    );
  }

  #found({
    store,
    repository,
    tag,
    name,
  }: Omit<V1Found, "source" | "session" | "name"> & { name?: string | undefined }): void {
    this.#count(store, repository);
    const source = `${v1RepositoryName(store, repository)}:${tag}`;
    const session = async (signal: AbortSignal | undefined): Promise<V1Session> => await store.open(repository, signal);
    const found: V1Found = { source, store, repository, tag, session, ...(name === undefined ? {} : { name }) };
    this.#images.set(`${source} ${name ?? ""}`, found);
  }

  #count(store: V1Store, repository: V1Repository): void {
    this.#repositories.add(v1RepositoryName(store, repository));
  }

  async #attempt(source: string, task: () => Promise<void>): Promise<void> {
    try {
      await readingAnswer(task);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (!(error instanceof ImgpackError)) throw error;
      this.#fail({ source, error });
    }
  }

  #fail(failed: ExpandedV1["failed"][number]): void {
    if (this.#options.keepGoing !== true) throw failed.error;
    this.#failed.push(failed);
  }
}

function noMatchHint(store: V1Store, listings: readonly Listing[], tag: string): string {
  const [listing, ...others] = listings;
  if (listing !== undefined && others.length === 0)
    return `${tagsThere(nameOf(listing.repository), tag, listing.tags)}.`;
  return `"imgpack catalog ${store.name}" lists the repositories. "*" is within one part of a name, "**" any number of parts.`;
}

/** A repository that a search names after it was deleted. */
function gone(repository: V1Repository): (error: unknown) => Listing {
  return error => {
    if (error instanceof NotFoundError) return { repository, tags: [] };
    throw error;
  };
}

function nameOf({ namespace, name }: V1Repository): string {
  return `${namespace}/${name}`;
}

/** A registry may have let a slash into a tag: what is no tag is reported, and must not be left out. */
function anyPart(glob: string): string {
  return glob.replace(/\*+/g, "**");
}
