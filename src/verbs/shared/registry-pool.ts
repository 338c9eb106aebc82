import type { ImageTarget } from "../../content/contracts.ts";
import { countTo, type OnProgress, stepTo } from "../../content/progress.ts";
import { BlobClaims } from "../../copy/claims/blob-claims.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import type { Digest } from "../../oci/digest.ts";
import { speaksTls } from "../../registry/api/ping.ts";
import { TagLists } from "../../registry/api/tag-lists.ts";
import type { Actions } from "../../registry/auth/scope.ts";
import { type ConnectOptions, connectRegistry } from "../../registry/client/connect-registry.ts";
import type { RegistryClient } from "../../registry/client/registry-client.ts";
import { Repository } from "../../registry/client/repository.ts";
import { type PullLocation, parseMirror, pullLocations } from "../../registry/mirrors/mirrors.ts";
import { readRegistriesConf } from "../../registry/mirrors/registries-conf.ts";
import { ReferrersFinder } from "../../registry/referrers/referrers-finder.ts";
import type { CandidatesFor, FullReference } from "../../registry/registry-source.ts";
import { type RegistryTargetOptions, registryTarget } from "../../registry/registry-target.ts";
import { UploadJournal } from "../../registry/upload/upload-journal.ts";
import { once } from "../../util/lazy/once.ts";
import { DEFAULT_MAX_TRANSFERS } from "../../util/options/option-limits.ts";
import { Pace } from "../../util/pace/pace.ts";
import { abortable } from "../../util/promises.ts";
import { commonConnectOptions, connectOptions } from "../options/connect-options.ts";
import { listOf } from "../options/option-values.ts";
import { refuseV1Options } from "../options/refuse-v1-options.ts";
import { type RegistryOptions, registryOptions } from "../options/registry-options.ts";
import { NamedRegistries } from "./named-registries.ts";

export interface PoolOptions {
  readonly registry?: string | RegistryOptions | undefined;
  /** For pulls: tried before the registry itself. */
  readonly mirror?: string | readonly string[] | undefined;
  /** Waits while a registry takes no more requests, instead of failing. */
  readonly keepGoing?: boolean | undefined;
  /** Never more transfers at once. Default 32. */
  readonly concurrency?: number | undefined;
}

/** The registries of one run, each connected once. */
export class RegistryPool implements AsyncDisposable {
  /** The tags of repositories, each list requested once in the run. */
  readonly tagLists: TagLists;
  readonly referrersFinder: ReferrersFinder;
  /** The limit of all transfers with all registries of the run. */
  readonly pace: Pace;
  readonly #options: ConnectOptions;
  /** Retries and limits, which apply to every registry of the run, mirrors included. */
  readonly #commonOptions: ConnectOptions;
  readonly #mirrors: readonly string[];
  readonly #onProgress: OnProgress;
  readonly #journal: UploadJournal | undefined;
  readonly #claims = new Map<string, BlobClaims>();
  readonly #clients = new Map<string, Promise<RegistryClient>>();
  readonly #end = new AbortController();
  readonly #allowed: NamedRegistries;
  readonly #registriesConf = once(async () => await readRegistriesConf());

  /**
   * @param named registries in the arguments of the call: only they get its credentials.
   * @param cacheDir folder for records of large uploads, so that a later run can resume them; default none.
   * @throws UsageError for options of v1 registries.
   */
  constructor(
    { registry, mirror, keepGoing, concurrency = DEFAULT_MAX_TRANSFERS }: PoolOptions,
    named: readonly string[],
    onProgress: OnProgress,
    cacheDir?: string,
  ) {
    refuseV1Options({ registry });
    const options = registryOptions(registry);
    this.#allowed = new NamedRegistries(options, named);
    const choices = { registry, keepGoing, onProgress };
    this.pace = new Pace({ max: concurrency });
    this.#commonOptions = { ...commonConnectOptions(choices), concurrency, onPushBack: () => this.pace.pushedBack() };
    // One limit for all bodies of the run.
    this.#options = { ...connectOptions(choices), ...this.#commonOptions };
    this.#mirrors = listOf(mirror);
    for (const text of this.#mirrors) parseMirror(text);
    this.#onProgress = onProgress;
    this.tagLists = new TagLists(countTo(onProgress, "names"));
    this.referrersFinder = new ReferrersFinder(this.tagLists, this.note);
    if (cacheDir !== undefined) this.#journal = new UploadJournal(cacheDir, { onNote: this.note });
  }

  /** To be called with all registries that are to be reached, before the first is. @throws UsageError */
  admit(registries: readonly string[]): void {
    this.#allowed.admit(registries);
  }

  readonly clientFor = async (registry: string, signal?: AbortSignal): Promise<RegistryClient> => {
    if (!this.#clients.has(registry)) this.admit([registry]);
    const connect = async (): Promise<RegistryClient> => await this.#connect(registry, this.#options);
    return await this.#shared(registry, connect, signal);
  };

  /** A repository of a registry. @param actions what the run does there; default "pull". */
  readonly repositoryFor = async (
    { registry, repository }: Pick<FullReference, "registry" | "repository">,
    signal?: AbortSignal,
    actions?: Actions,
  ): Promise<Repository> => new Repository(await this.clientFor(registry, signal), repository, actions);

  /** What the run is sending to the registry of a repository. */
  claimsAt({ registry, repository }: Pick<FullReference, "registry" | "repository">): BlobClaims {
    const claims = this.#claims.get(registry) ?? new BlobClaims();
    this.#claims.set(registry, claims);
    return claims.in(repository);
  }

  /** A repository to push into. */
  async targetFor(
    reference: Pick<FullReference, "registry" | "repository">,
    cache: DigestCache,
    signal?: AbortSignal,
    more: Pick<RegistryTargetOptions, "isNew" | "onUndelivered"> = {},
  ): Promise<ImageTarget> {
    const { registry } = reference;
    const holders = {
      find: (digest: Digest, other: string) => cache.findHolder(registry, digest, other),
      add: async (digest: Digest, other: string) => await cache.addHolder(registry, digest, other),
    };
    const repository = await this.repositoryFor(reference, signal, "pull,push");
    const onCommit = (total: number): (() => void) => stepTo(this.#onProgress, "commit", total);
    const options = { ...more, journal: this.#journal, onNote: this.note, onCommit };
    return { ...registryTarget(repository, holders, options), host: registry };
  }

  /** Repositories to pull an image from, mirrors first. Only the registry itself gets credentials and TLS options. */
  readonly candidatesFor: CandidatesFor = async (reference: FullReference) => {
    const locations = await pullLocations(reference, {
      mirrors: this.#mirrors,
      registriesConf: this.#registriesConf,
    });
    return locations.map(location => ({
      name: `${location.registry}/${location.repository}`,
      isMirror: location.isMirror,
      open: async signal => {
        const isNamed = !location.isMirror && location.registry === reference.registry && location.trust === "checked";
        const client = isNamed
          ? await this.clientFor(location.registry, signal)
          : await this.#clientAt(location, reference, signal);
        return new Repository(client, location.repository);
      },
    }));
  };

  readonly note = (message: string): void => this.#onProgress({ kind: "note", message });

  /** Requests and body bytes sent so far, to all registries. */
  async traffic(): Promise<{ readonly requests: number; readonly bytesSent: number }> {
    let requests = 0;
    let bytesSent = 0;
    for (const client of await Promise.allSettled(this.#clients.values())) {
      if (client.status !== "fulfilled") continue;
      requests += client.value.transport.requests;
      bytesSent += client.value.transport.bytesSent;
    }
    return { requests, bytesSent };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    const clients = await Promise.allSettled(this.#clients.values());
    for (const client of clients)
      if (client.status === "fulfilled") await client.value.transport[Symbol.asyncDispose]();
  }

  /** One client for all who need it: none of them ends the connecting for the others. After a failure, the next one tries. */
  async #shared(
    key: string,
    connect: () => Promise<RegistryClient>,
    signal: AbortSignal | undefined,
  ): Promise<RegistryClient> {
    const known = this.#clients.get(key);
    if (known !== undefined) return await abortable(known, signal);
    const client = connect();
    this.#clients.set(key, client);
    client.catch(() => this.#clients.delete(key));
    return await abortable(client, signal);
  }

  async #connect(registry: string, options: ConnectOptions): Promise<RegistryClient> {
    return await connectRegistry(registry, options, this.#end.signal);
  }

  /** A mirror, or a registry that registries.conf describes, with its own credentials and certificates. */
  async #clientAt(
    { registry, isMirror, trust }: PullLocation,
    reference: FullReference,
    signal: AbortSignal | undefined,
  ): Promise<RegistryClient> {
    const key = `${registry} ${isMirror ? "mirror" : "moved"} ${trust}`;
    const isNamed = !isMirror && registry === reference.registry;
    if (isNamed && !this.#clients.has(key)) this.admit([registry]);
    const options = isNamed ? this.#options : this.#commonOptions;
    const connect = async (): Promise<RegistryClient> => {
      if (trust === "insecure") return await this.#connectInsecure(registry, options);
      return await this.#connect(registry, trust === "plain-http" ? { ...options, plainHttp: true } : options);
    };
    return await this.#shared(key, connect, signal);
  }

  /** registries.conf also calls hosts without TLS "insecure" (containers-registries.conf(5)): only a request shows which. */
  async #connectInsecure(registry: string, options: ConnectOptions): Promise<RegistryClient> {
    const insecure = await this.#connect(registry, { ...options, insecure: true });
    let isRight = false;
    try {
      isRight = await speaksTls(insecure, this.#end.signal);
    } finally {
      if (!isRight) await insecure.transport[Symbol.asyncDispose]();
    }
    if (isRight) return insecure;
    return await this.#connect(registry, { ...options, plainHttp: true });
  }
}
