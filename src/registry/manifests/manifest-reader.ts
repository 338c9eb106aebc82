import { parseKept } from "../../content/kept-views.ts";
import { ImgpackError } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { manifestChildren, type RawManifest } from "../../oci/manifest.ts";
import { isIndexType, MANIFEST_ACCEPT } from "../../oci/media-types.ts";
import { type FetchedManifest, type GetManifestOptions, getManifest, type ReadManifest } from "../api/get-manifest.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import type { Repository } from "../client/repository.ts";
import { headerText } from "../http/headers.ts";
import type { ManifestCache } from "./manifest-cache.ts";
import type { RepositoryManifests } from "./repository-manifests.ts";

/**
 * Reads manifests as `getManifest` does, with fewer requests if earlier runs have read them. A manifest from the cache
 * counts only if the registry has named its digest in this run, for this repository: by the answer to a HEAD, in an index,
 * or as something that refers to an image. So the registry still decides who may read it, and what a tag means.
 */
export class ManifestReader {
  readonly #cache: ManifestCache | undefined;
  /** What each repository has named. */
  readonly #named = new Map<RepositoryManifests, Set<Digest>>();
  /** Registries that answer a GET of a manifest, but no HEAD of it. */
  readonly #withoutHead = new WeakSet<RegistryClient>();

  /** @param cache undefined keeps nothing, and asks for each manifest. */
  constructor(cache?: ManifestCache) {
    this.#cache = cache;
  }

  /** As `getManifest`. */
  readonly read: ReadManifest = async (repository, reference, options = {}) => {
    const known = await this.#cache?.of(repository);
    if (known === undefined) return await getManifest(repository, reference, options);
    const kept = await this.#readKept(repository, reference, known, options);
    if (kept !== undefined && typeof kept !== "string") return kept;
    const fetched = await getManifest(repository, reference, options);
    if (kept === "no answer") this.#withoutHead.add(repository.client);
    // What signatures cover is a part of a schema 1 manifest, which has no digest of its own.
    if (fetched.payload === undefined) this.#keep(known, reference, fetched);
    return fetched;
  };

  /** Is told what the registry has said that the repository has. */
  async name(repository: Repository, digests: readonly Digest[]): Promise<void> {
    const known = await this.#cache?.of(repository);
    if (known !== undefined) this.#namedBy(known, digests);
  }

  /** @returns undefined if another manifest is wanted; "no answer" if the registry did not say which. */
  async #readKept(
    repository: Repository,
    reference: string,
    known: RepositoryManifests,
    { signal }: GetManifestOptions,
  ): Promise<FetchedManifest | "no answer" | undefined> {
    const last = isDigest(reference) ? reference : known.digestOf(reference);
    const kept = last === undefined ? undefined : known.find(last);
    if (last === undefined || kept === undefined) return undefined;
    if (isDigest(reference) && this.#named.get(known)?.has(reference) === true) {
      return this.#keep(known, reference, fetchedOf(reference, kept));
    }
    if (this.#withoutHead.has(repository.client)) return undefined;
    const meant = await headManifest(repository, reference, signal);
    if (meant === undefined) return "no answer";
    if (isDigest(reference) && meant !== reference) return undefined;
    const manifest = known.find(meant);
    return manifest === undefined ? undefined : this.#keep(known, reference, fetchedOf(meant, manifest));
  }

  #keep(known: RepositoryManifests, reference: string, fetched: FetchedManifest): FetchedManifest {
    const { descriptor, manifest } = fetched;
    known.add(descriptor.digest, manifest, isDigest(reference) ? undefined : reference);
    this.#namedBy(known, [descriptor.digest]);
    if (isIndexType(manifest.mediaType)) {
      const view = parseKept(manifest.bytes, { where: descriptor.digest, announced: manifest.mediaType });
      this.#namedBy(
        known,
        manifestChildren(view).map(({ digest }) => digest),
      );
    }
    return fetched;
  }

  #namedBy(known: RepositoryManifests, digests: readonly Digest[]): void {
    const named = this.#named.get(known) ?? new Set();
    this.#named.set(known, named);
    for (const digest of digests) named.add(digest);
  }
}

function fetchedOf(digest: Digest, manifest: RawManifest): FetchedManifest {
  return { descriptor: { mediaType: manifest.mediaType, digest, size: manifest.bytes.length }, manifest };
}

/** One HEAD, not repeated: the GET that follows has the better errors. @returns undefined without a digest in the answer. */
async function headManifest(
  repository: Repository,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  try {
    const { headers } = await repository.callOnce({
      verb: "pull",
      what: `manifest ${reference}`,
      method: "HEAD",
      url: `manifests/${reference}`,
      headers: { accept: MANIFEST_ACCEPT.join(", ") },
      accept: [200],
      signal,
    });
    const digest = headerText(headers, "docker-content-digest");
    return isDigest(digest) ? digest : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ImgpackError) return undefined;
    throw error;
  }
}
