import { bytesBlob } from "../content/blob.ts";
import type { BlobSource, ImageSource, Root } from "../content/contracts.ts";
import { InternalError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { manifestChildren, parseManifest } from "../oci/manifest.ts";
import { isManifestType } from "../oci/media-types.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import { registryBlob } from "../registry/blob-download.ts";
import { BulkDownloads } from "../registry/bulk-download.ts";
import { getManifest } from "../registry/manifest-access.ts";
import type { RegistryClient } from "../registry/registry-client.ts";

/** A reference that names everything: registry, and tag or digest. */
export type FullReference = Reference & { readonly registry: string };

/** Opens the client of a registry, the same one for the same name. */
export type ClientFor = (registry: string, signal?: AbortSignal) => Promise<RegistryClient>;

interface Place {
  readonly client: RegistryClient;
  readonly repository: string;
}

/**
 * Images of one or several registries. Roots are named by their full reference; one that was asked for by digest has
 * no name.
 */
export function registrySource(references: readonly FullReference[], clientFor: ClientFor): ImageSource {
  return new RegistrySource(references, clientFor);
}

class RegistrySource implements ImageSource {
  readonly #references: readonly FullReference[];
  readonly #clientFor: ClientFor;
  readonly #bulk = new BulkDownloads();
  /** Where each blob was first heard of: a registry serves it only there. */
  readonly #places = new Map<Digest, Place>();
  readonly #manifests = new Map<Digest, Uint8Array>();

  constructor(references: readonly FullReference[], clientFor: ClientFor) {
    this.#references = references;
    this.#clientFor = clientFor;
  }

  async *roots(signal?: AbortSignal): AsyncGenerator<Root> {
    const found = new Map<Digest, { readonly descriptor: Descriptor; readonly names: string[] }>();
    for (const { registry, repository, tag, digest } of this.#references) {
      const place = { client: await this.#clientFor(registry, signal), repository };
      const descriptor = await this.#fetchManifest(place, digest ?? tag ?? "latest", signal);
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
    if (!isManifestType(mediaType)) return registryBlob({ ...place, bulk: this.#bulk }, descriptor);
    if (!this.#manifests.has(digest)) await this.#fetchManifest(place, digest, signal);
    return bytesBlob(this.#manifests.get(digest) ?? new Uint8Array());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bulk.close();
  }

  async #fetchManifest(place: Place, reference: string, signal: AbortSignal | undefined): Promise<Descriptor> {
    const { descriptor, manifest } = await getManifest({ ...place, signal }, reference);
    const where = `${place.client.registry}/${place.repository}`;
    const children = manifestChildren(parseManifest(manifest.bytes, { where, announced: manifest.mediaType }));
    for (const { digest } of [descriptor, ...children]) if (!this.#places.has(digest)) this.#places.set(digest, place);
    this.#manifests.set(descriptor.digest, manifest.bytes);
    return descriptor;
  }
}
