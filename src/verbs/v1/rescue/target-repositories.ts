import type { ImageTarget } from "../../../content/contracts.ts";
import type { DigestCache } from "../../../copy/digest-cache.ts";
import type { Digest } from "../../../oci/digest.ts";
import type { TargetName } from "../../../oci/names/image-mapping.ts";
import type { Repository } from "../../../registry/client/repository.ts";
import type { RegistryPool } from "../../shared/registry-pool.ts";
import { gatedTarget } from "./gated-target.ts";
import type { Limiter } from "./limiter.ts";
import { Sending } from "./sending.ts";

/** A repository that images of the run go to. */
export interface TargetRepository {
  /** Opened for pushing. */
  readonly repository: Repository;
  /** The same, opened for pulling. */
  readonly readable: Repository;
  /** Behind the gate of the run. */
  readonly target: ImageTarget;
  /** The same without a gate. */
  readonly direct: ImageTarget;
  /** Blobs that the run has found or put there. */
  readonly present: Set<Digest>;
  /** Blobs that `--verify` has looked at. */
  readonly checked: Set<Digest>;
  /** Of images whose manifests are made for it; changes when it refuses Docker's. */
  manifestType?: string | undefined;
}

/** The repositories that a run writes to, each opened once. */
export class TargetRepositories {
  readonly #registries: RegistryPool;
  readonly #cache: DigestCache;
  readonly #limiter: Limiter;
  /** By registry. */
  readonly #sending = new Map<string, Sending>();
  readonly #opened = new Map<string, Promise<TargetRepository>>();

  /** @param limiter limits the blobs that are sent at once, to all of them together. */
  constructor(registries: RegistryPool, cache: DigestCache, limiter: Limiter) {
    this.#registries = registries;
    this.#cache = cache;
    this.#limiter = limiter;
  }

  async open(
    to: Pick<TargetName, "registry" | "repository">,
    signal: AbortSignal | undefined,
  ): Promise<TargetRepository> {
    const key = `${to.registry}/${to.repository}`;
    const opened = this.#opened.get(key) ?? this.#open(to, signal);
    this.#opened.set(key, opened);
    // A failure to connect is not that of all later images.
    opened.catch(() => this.#opened.delete(key));
    return await opened;
  }

  async #open(
    to: Pick<TargetName, "registry" | "repository">,
    signal: AbortSignal | undefined,
  ): Promise<TargetRepository> {
    const present = new Set<Digest>();
    const direct = await this.#registries.targetFor(to, this.#cache, signal);
    const repository = await this.#registries.repositoryFor(to, signal, "pull,push");
    const readable = await this.#registries.repositoryFor(to, signal);
    const sending = this.#sending.get(to.registry) ?? new Sending();
    this.#sending.set(to.registry, sending);
    const target = gatedTarget(direct, { limiter: this.#limiter, sending }, present);
    return { repository, readable, target, direct, present, checked: new Set() };
  }
}
