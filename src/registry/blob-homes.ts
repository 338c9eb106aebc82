import { InternalError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryClient } from "./client/registry-client.ts";
import type { Repository } from "./client/repository.ts";

/** By client and name, in the order in which they named the blob. */
type Homes = Map<string, Repository>;

/** Where each blob can be had: a registry serves it only in a repository whose manifests name it. */
export class BlobHomes {
  /** Most blobs have one home, and a map for each of them takes more memory than all else that is known of it. */
  readonly #first = new Map<Digest, Repository>();
  /** All homes of the others, by repository: a base is in as many as there are images of it. */
  readonly #several = new Map<Digest, Homes>();
  readonly #clients = new Map<RegistryClient, number>();

  add(repository: Repository, digests: readonly Digest[]): void {
    const key = this.#keyOf(repository);
    for (const digest of digests) {
      const first = this.#first.get(digest);
      if (first === undefined) this.#first.set(digest, repository);
      else if (first !== repository) this.#addTo(digest, first, key, repository);
    }
  }

  /** The first one that named it. @throws InternalError for a blob that no manifest named. */
  of(digest: Digest): Repository {
    const first = this.#first.get(digest);
    if (first !== undefined) return first;
    throw new InternalError(`Cannot pull blob ${digest}: no manifest named it`);
  }

  all(digest: Digest): readonly Repository[] {
    const several = this.#several.get(digest);
    if (several !== undefined) return [...several.values()];
    const first = this.#first.get(digest);
    return first === undefined ? [] : [first];
  }

  #addTo(digest: Digest, first: Repository, key: string, repository: Repository): void {
    const known = this.#several.get(digest);
    if (known?.has(key) === true) return;
    const firstKey = this.#keyOf(first);
    if (known !== undefined) known.set(key, repository);
    else if (firstKey !== key)
      this.#several.set(
        digest,
        new Map([
          [firstKey, first],
          [key, repository],
        ]),
      );
  }

  #keyOf({ client, name }: Repository): string {
    const number = this.#clients.get(client) ?? this.#clients.size;
    this.#clients.set(client, number);
    return `${number} ${name}`;
  }
}
