import { InternalError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { RegistryClient } from "./client/registry-client.ts";
import type { Repository } from "./client/repository.ts";

/** Where each blob can be had: a registry serves it only in a repository whose manifests name it. */
export class BlobHomes {
  /** By digest, then by repository: a base is in as many repositories as there are images of it. */
  readonly #homes = new Map<Digest, Map<string, Repository>>();
  readonly #clients = new Map<RegistryClient, number>();

  add(repository: Repository, digests: readonly Digest[]): void {
    const key = this.#keyOf(repository);
    for (const digest of digests) {
      const homes = this.#homes.get(digest);
      if (homes === undefined) this.#homes.set(digest, new Map([[key, repository]]));
      else if (!homes.has(key)) homes.set(key, repository);
    }
  }

  /** The first one that named it. @throws InternalError for a blob that no manifest named. */
  of(digest: Digest): Repository {
    for (const first of this.#homes.get(digest)?.values() ?? []) return first;
    throw new InternalError(`Cannot pull blob ${digest}: no manifest named it`);
  }

  all(digest: Digest): readonly Repository[] {
    return [...(this.#homes.get(digest)?.values() ?? [])];
  }

  #keyOf({ client, name }: Repository): string {
    const number = this.#clients.get(client) ?? this.#clients.size;
    this.#clients.set(client, number);
    return `${number} ${name}`;
  }
}
