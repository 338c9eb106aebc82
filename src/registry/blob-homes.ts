import { InternalError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Repository } from "./client/repository.ts";

/** Where each blob can be had: a registry serves it only in a repository whose manifests name it. */
export class BlobHomes {
  readonly #homes = new Map<Digest, Repository[]>();

  add(repository: Repository, digests: readonly Digest[]): void {
    for (const digest of digests) {
      const homes = this.#homes.get(digest) ?? [];
      if (!homes.some(home => home.client === repository.client && home.name === repository.name))
        homes.push(repository);
      this.#homes.set(digest, homes);
    }
  }

  /** The first one that named it. @throws InternalError for a blob that no manifest named. */
  of(digest: Digest): Repository {
    const [first] = this.all(digest);
    if (first === undefined) throw new InternalError(`Cannot pull blob ${digest}: no manifest named it`);
    return first;
  }

  all(digest: Digest): readonly Repository[] {
    return this.#homes.get(digest) ?? [];
  }
}
