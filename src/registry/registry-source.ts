import { bytesBlob } from "../content/blob.ts";
import type { BlobSource, FoundReferrers, ImageSource, Root } from "../content/contracts.ts";
import { parseKept } from "../content/kept-views.ts";
import { ImgpackError, RegistryError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { manifestChildren } from "../oci/manifest.ts";
import { isManifestType, isSchema1Type } from "../oci/media-types.ts";
import type { Platform } from "../oci/platform.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import { parseSchema1 } from "../oci/schema1/schema1.ts";
import { blobSize } from "./api/blobs.ts";
import { explainMissing } from "./api/explain-missing.ts";
import type { FetchedManifest, GetManifestOptions } from "./api/get-manifest.ts";
import { getManifests } from "./api/get-manifests.ts";
import { BlobHomes } from "./blob-homes.ts";
import { readingAnswer } from "./client/registry-answer.ts";
import type { Repository } from "./client/repository.ts";
import { registryBlob } from "./download/blob-download.ts";
import { findForeign } from "./find-foreign.ts";
import { ManifestReader } from "./manifests/manifest-reader.ts";
import { type FetchedRoot, type FetchRoot, readRoots } from "./read-roots.ts";
import { findInRepositories } from "./referrers/find-in-repositories.ts";
import type { FindsReferrers } from "./referrers/referrers-finder.ts";
import type { FullReference, SourceReference } from "./source-reference.ts";

export type { FullReference, SourceReference } from "./source-reference.ts";

/** What follows the repository in a request for a manifest. */
export function manifestKey({ tag, digest }: Reference): string {
  return digest ?? tag ?? "latest";
}

/** Opens the repository that a reference names; the connections of a registry are shared. */
export type RepositoryFor = (
  reference: Pick<FullReference, "registry" | "repository">,
  signal?: AbortSignal,
) => Promise<Repository>;

/** A repository that may serve an image. */
export interface PullCandidate {
  /** `registry/repository` */
  readonly name: string;
  readonly isMirror: boolean;
  open(signal?: AbortSignal): Promise<Repository>;
}

/** The repositories that may serve an image, best first: mirrors, then the registry itself. */
export type CandidatesFor = (reference: FullReference) => Promise<readonly PullCandidate[]>;

export interface RegistrySourceOptions {
  /** Of references without their own, if others that lead to the same image have some. */
  readonly platforms?: readonly Platform[] | "all" | undefined;
  /** Default: only the repository that the reference names. */
  readonly candidatesFor?: CandidatesFor;
  /** Called with which mirror serves an image, and which does not. */
  readonly onNote?: (text: string) => void;
  /** Called after each reference that was looked up. */
  readonly onRead?: () => void;
  /** "fetch": foreign layers that the registry lacks come from the URLs that the image names. Default "skip". */
  readonly foreign?: "skip" | "fetch" | undefined;
  /** Finds what refers to the images. Default: that is not known. */
  readonly referrersFinder?: FindsReferrers | undefined;
  /** Reads manifests. Default: each from its registry. */
  readonly manifests?: ManifestReader | undefined;
  /** Called with images that cannot be fetched; by default they are an error. */
  readonly onFailed?: ((reference: FullReference, error: ImgpackError) => void) | undefined;
  /** Called with each image, several at once; one that it rejects has failed. */
  readonly check?: ((root: Root, signal: AbortSignal) => Promise<void>) | undefined;
}

/**
 * Images of one or several registries. Roots are named by their full references, with the tag and the digest that those
 * have.
 */
export function registrySource(
  references: readonly SourceReference[],
  repositoryFor: RepositoryFor,
  options: RegistrySourceOptions = {},
): ImageSource {
  return new RegistrySource(references, repositoryFor, options);
}

class RegistrySource implements ImageSource {
  readonly #references: readonly SourceReference[];
  readonly #repositoryFor: RepositoryFor;
  readonly #options: RegistrySourceOptions;
  readonly #homes = new BlobHomes();
  readonly #reader: ManifestReader;
  readonly #manifests = new Map<Digest, Uint8Array>();
  /** Of layers of schema 1 manifests, which name no sizes: the registry is asked when one is needed. */
  readonly #sizes = new Map<Digest, number | undefined>();
  /** Foreign layers that were asked for: whether the registry has them, or the URL that has. */
  readonly #foreign = new Map<Digest, boolean | URL>();

  constructor(references: readonly SourceReference[], repositoryFor: RepositoryFor, options: RegistrySourceOptions) {
    this.#references = references;
    this.#repositoryFor = repositoryFor;
    this.#options = options;
    this.#reader = options.manifests ?? new ManifestReader();
  }

  roots(signal?: AbortSignal): AsyncGenerator<Root> {
    return readRoots(this.#references, this.#fetchRoot, this.#options, signal);
  }

  async blob(descriptor: Descriptor, signal?: AbortSignal): Promise<BlobSource> {
    const { digest, mediaType } = descriptor;
    const repository = this.#homes.of(digest);
    const known = this.#manifests.get(digest);
    if (known !== undefined) return bytesBlob(known);
    if (isSchema1Type(mediaType)) return refuseSchema1(digest);
    if (!isManifestType(mediaType)) {
      const size = this.#sizes.has(digest) ? await this.#sizeOf(repository, digest, signal) : descriptor.size;
      const place = this.#foreign.get(digest);
      return registryBlob(repository, { ...descriptor, size }, place instanceof URL ? place : undefined);
    }
    await this.#keepAny(repository, await this.#reader.read(repository, digest, { signal }));
    return bytesBlob(this.#manifests.get(digest) ?? new Uint8Array());
  }

  async has(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
    const { digest } = descriptor;
    const found =
      this.#foreign.get(digest) ??
      (await findForeign(this.#homes.of(digest), descriptor, this.#options.foreign, signal));
    this.#foreign.set(digest, found);
    return found !== false;
  }

  /** In each repository that an image came from; a manifest that no registry sent has no referrers. */
  async referrers(subject: Digest, signal?: AbortSignal): Promise<FoundReferrers> {
    const { referrersFinder } = this.#options;
    if (referrersFinder === undefined) return { found: [] };
    return await findInRepositories(referrersFinder, this.#homes.all(subject), subject, {
      read: this.#reader.read,
      keep: (repository, fetched) => this.#keep(repository, fetched),
      locate: async (repository, digests) => {
        this.#homes.add(repository, digests);
        if (referrersFinder.isOffline !== true) await this.#reader.name(repository, digests);
      },
      signal,
    });
  }

  /** Connections belong to the clients. */
  async [Symbol.asyncDispose](): Promise<void> {}

  readonly #fetchRoot: FetchRoot = async (reference, onNote, signal) => {
    let failure: unknown;
    for (const place of [reference, ...(reference.alternatives ?? [])]) {
      try {
        const wanted: SourceReference = { ...reference, registry: place.registry, repository: place.repository };
        return await this.#fetchAt(wanted, onNote, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ImgpackError)) throw error;
        failure ??= error;
      }
    }
    throw failure;
  };

  async #fetchAt(
    reference: SourceReference,
    onNote: (text: string) => void,
    signal: AbortSignal,
  ): Promise<FetchedRoot> {
    const { candidatesFor } = this.#options;
    const candidates = (await candidatesFor?.(reference)) ?? [];
    for (const { name, isMirror, open } of candidates) {
      // Only the registry itself may serve schema 1, and only for a root.
      if (!isMirror) return await this.#fetchOwn(await open(signal), reference, signal);
      try {
        const fetched = await this.#fetchWith(await open(signal), reference, { signal });
        onNote(`Pulling ${formatReference(reference)} from mirror ${name}`);
        return fetched;
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ImgpackError)) throw error;
        onNote(`Mirror ${name} does not serve ${formatReference(reference)}, trying the next one: ${error.message}`);
      }
    }
    return await this.#fetchOwn(await this.#repositoryFor(reference, signal), reference, signal);
  }

  async #fetchOwn(repository: Repository, reference: SourceReference, signal: AbortSignal): Promise<FetchedRoot> {
    const options = { takesSchema1: true, signal };
    const task = async (): Promise<FetchedRoot> => await this.#fetchWith(repository, reference, options);
    return await explainMissing(repository, reference, task, signal);
  }

  /** The root, with the manifests below it that are known to be needed. */
  async #fetchWith(
    repository: Repository,
    reference: SourceReference,
    options: GetManifestOptions,
  ): Promise<FetchedRoot> {
    const root = await this.#reader.read(repository, manifestKey(reference), options);
    const below = await getManifests(this.#reader.read, repository, reference.manifests ?? [], root, options.signal);
    return {
      descriptor: root.descriptor,
      keep: async () => {
        for (const fetched of [root, ...below]) await this.#keepAny(repository, fetched);
      },
    };
  }

  async #keepAny(repository: Repository, fetched: FetchedManifest): Promise<void> {
    const { descriptor, payload } = fetched;
    if (payload === undefined) this.#keep(repository, fetched);
    else await readingAnswer(() => this.#addSchema1(repository, descriptor.digest, payload));
  }

  #keep(repository: Repository, { descriptor, manifest }: FetchedManifest): void {
    const view = parseKept(manifest.bytes, { where: `${repository}`, announced: manifest.mediaType });
    this.#homes.add(repository, [descriptor.digest, ...manifestChildren(view).map(({ digest }) => digest)]);
    this.#manifests.set(descriptor.digest, manifest.bytes);
  }

  #addSchema1(repository: Repository, digest: Digest, payload: Uint8Array): void {
    const layers = parseSchema1(payload, `${repository}`).steps.flatMap(({ layer }) => layer ?? []);
    this.#homes.add(repository, [digest, ...layers]);
    for (const layer of layers) if (!this.#sizes.has(layer)) this.#sizes.set(layer, undefined);
    this.#manifests.set(digest, payload);
  }

  async #sizeOf(repository: Repository, digest: Digest, signal: AbortSignal | undefined): Promise<number> {
    const size = this.#sizes.get(digest) ?? (await blobSize(repository, digest, signal));
    this.#sizes.set(digest, size);
    return size;
  }
}

/** Only images that a reference names are converted. */
function refuseSchema1(digest: Digest): never {
  throw new RegistryError(`Cannot pull manifest ${digest}: found schema 1 in an index, expected schema 2 or OCI`, {
    status: 200,
    hint: "Pull that image by its digest, or choose other platforms.",
  });
}
