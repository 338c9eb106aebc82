import { bytesBlob } from "../content/blob.ts";
import type { BlobSource, ImageSource, Root } from "../content/contracts.ts";
import { ArchiveError, ImgpackError, InternalError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { manifestChildren, parseManifest } from "../oci/manifest.ts";
import { isManifestType, isSchema1Type } from "../oci/media-types.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import { parseSchema1 } from "../oci/schema1/schema1.ts";
import { blobSize } from "./api/blob-size.ts";
import { getManifest } from "./api/manifests.ts";
import type { RegistryClient } from "./client/registry-client.ts";
import { registryBlob } from "./download/blob-download.ts";
import { BulkDownloads } from "./download/bulk-download.ts";

/** A reference that names everything: registry, and tag or digest. */
export type FullReference = Reference & { readonly registry: string };

/** Opens the client of a registry, the same one for the same name. */
export type ClientFor = (registry: string, signal?: AbortSignal) => Promise<RegistryClient>;

interface Place {
  readonly client: RegistryClient;
  readonly repository: string;
}

interface Asked extends Place {
  /** Asks for schema 1 where there is nothing else: not of mirrors, nor for what an index names. */
  readonly takesSchema1?: true;
}

/** The places that an image may be pulled from, best first, the registry itself last. */
export type PullPlaces = (
  reference: FullReference,
  signal?: AbortSignal,
) => Promise<readonly { readonly name: string; readonly isMirror: boolean; open(): Promise<Place> }[]>;

export interface RegistrySourceOptions {
  /** Without it, the registry that the reference names is the only place. */
  readonly placesFor?: PullPlaces;
  /** Told which mirror served, and which did not. */
  readonly onNote?: (text: string) => void;
  /** Hears of images that cannot be had; without it they are an error. */
  readonly onFailed?: ((reference: FullReference, error: ImgpackError) => void) | undefined;
}

/**
 * Images of one or several registries. Roots are named by their full reference; one that was asked for by digest has
 * no name.
 */
export function registrySource(
  references: readonly FullReference[],
  clientFor: ClientFor,
  options: RegistrySourceOptions = {},
): ImageSource {
  return new RegistrySource(references, clientFor, options);
}

class RegistrySource implements ImageSource {
  readonly #references: readonly FullReference[];
  readonly #clientFor: ClientFor;
  readonly #options: RegistrySourceOptions;
  readonly #bulk = new BulkDownloads();
  /** Where each blob was first heard of: a registry serves it only there. */
  readonly #places = new Map<Digest, Place>();
  readonly #manifests = new Map<Digest, Uint8Array>();
  /** Of layers whose manifest, of schema 1, does not tell it: asked of the registry when it is needed. */
  readonly #sizes = new Map<Digest, number | undefined>();

  constructor(references: readonly FullReference[], clientFor: ClientFor, options: RegistrySourceOptions) {
    this.#references = references;
    this.#clientFor = clientFor;
    this.#options = options;
  }

  async *roots(signal?: AbortSignal): AsyncGenerator<Root> {
    const found = new Map<Digest, { readonly descriptor: Descriptor; readonly names: string[] }>();
    for (const reference of this.#references) {
      const { registry, repository, tag } = reference;
      const descriptor = await this.#fetchRoot(reference, signal).catch((error: unknown) => {
        signal?.throwIfAborted();
        const { onFailed } = this.#options;
        if (!(error instanceof ImgpackError) || onFailed === undefined) throw error;
        onFailed(reference, error);
      });
      if (descriptor === undefined) continue;
      const root = found.get(descriptor.digest) ?? { descriptor, names: [] };
      if (tag !== undefined) root.names.push(formatReference({ registry, repository, tag }));
      found.set(descriptor.digest, root);
    }
    for (const { descriptor, names } of found.values()) yield { kind: "settled", names, descriptor };
  }

  async blob(descriptor: Descriptor, signal?: AbortSignal): Promise<BlobSource> {
    const { digest, mediaType } = descriptor;
    const place = this.#places.get(digest);
    if (place === undefined) throw new InternalError(`Cannot pull blob ${digest}: no manifest named it`);
    if (isSchema1Type(mediaType)) return bytesBlob(this.#manifests.get(digest) ?? refuseSchema1(digest));
    if (!isManifestType(mediaType)) {
      const size = this.#sizes.has(digest) ? await this.#sizeOf(place, digest, signal) : descriptor.size;
      return registryBlob({ ...place, bulk: this.#bulk }, { ...descriptor, size });
    }
    if (!this.#manifests.has(digest)) await this.#fetchManifest(place, digest, signal);
    return bytesBlob(this.#manifests.get(digest) ?? new Uint8Array());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bulk.close();
  }

  async #fetchRoot(reference: FullReference, signal: AbortSignal | undefined): Promise<Descriptor> {
    const { registry, repository, tag, digest } = reference;
    const key = digest ?? tag ?? "latest";
    const { placesFor, onNote } = this.#options;
    const places = (await placesFor?.(reference, signal)) ?? [];
    for (const { name, isMirror, open } of places) {
      if (!isMirror) return await this.#fetchManifest({ ...(await open()), takesSchema1: true }, key, signal);
      try {
        const descriptor = await this.#fetchManifest(await open(), key, signal);
        onNote?.(`Pulling ${formatReference(reference)} from mirror ${name}`);
        return descriptor;
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof ImgpackError)) throw error;
        onNote?.(
          `Mirror ${name} does not serve ${formatReference(reference)}, trying the next place: ${error.message}`,
        );
      }
    }
    const client = await this.#clientFor(registry, signal);
    return await this.#fetchManifest({ client, repository, takesSchema1: true }, key, signal);
  }

  async #fetchManifest(asked: Asked, reference: string, signal: AbortSignal | undefined): Promise<Descriptor> {
    const { descriptor, manifest, payload } = await getManifest({ ...asked, signal }, reference);
    const place: Place = { client: asked.client, repository: asked.repository };
    const where = `${place.client.registry}/${place.repository}`;
    if (payload !== undefined) {
      this.#addSchema1(place, descriptor.digest, payload, where);
      return descriptor;
    }
    const children = manifestChildren(parseManifest(manifest.bytes, { where, announced: manifest.mediaType }));
    for (const { digest } of [descriptor, ...children]) if (!this.#places.has(digest)) this.#places.set(digest, place);
    this.#manifests.set(descriptor.digest, manifest.bytes);
    return descriptor;
  }

  #addSchema1(place: Place, digest: Digest, payload: Uint8Array, where: string): void {
    const layers = parseSchema1(payload, where).steps.flatMap(({ layer }) => layer ?? []);
    for (const each of [digest, ...layers]) if (!this.#places.has(each)) this.#places.set(each, place);
    for (const layer of layers) if (!this.#sizes.has(layer)) this.#sizes.set(layer, undefined);
    this.#manifests.set(digest, payload);
  }

  async #sizeOf(place: Place, digest: Digest, signal: AbortSignal | undefined): Promise<number> {
    const size = this.#sizes.get(digest) ?? (await blobSize({ ...place, signal }, digest));
    this.#sizes.set(digest, size);
    return size;
  }
}

/** Only images that were asked for are converted. */
function refuseSchema1(digest: Digest): never {
  throw new ArchiveError(
    "manifest-schema1",
    `Cannot pull manifest ${digest}: found schema 1 in an index, expected schema 2 or OCI`,
    { hint: "Pull that image by its digest, or choose other platforms." },
  );
}
