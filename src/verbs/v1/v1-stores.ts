import { noteTo, type OnProgress } from "../../content/progress.ts";
import { UsageError } from "../../errors.ts";
import { formatV1Store, parseV1Reference, type V1StoreName } from "../../oci/legacy/v1-reference.ts";
import { openV1Folder } from "../../registry/v1/folder/open-v1-folder.ts";
import { openV1Registry } from "../../registry/v1/store/open-v1-registry.ts";
import type { V1Store } from "../../registry/v1/v1-store.ts";
import { connectOptions } from "../options/connect-options.ts";
import { type RegistryOptions, registryOptions } from "../options/registry-options.ts";
import { NamedRegistries } from "../shared/named-registries.ts";

export interface V1StoresOptions {
  readonly registry?: string | RegistryOptions | undefined;
  readonly keepGoing?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** The v1 registries and folders of one run, each opened once. */
export class V1Stores implements AsyncDisposable {
  readonly #options: V1StoresOptions;
  readonly #allowed: NamedRegistries;
  readonly #opened = new Map<string, Promise<V1Store>>();
  #requests = 0;

  /** @param named references in the arguments of the call: only their registries get its credentials. */
  constructor(options: V1StoresOptions, named: readonly string[]) {
    this.#options = options;
    this.#allowed = new NamedRegistries(registryOptions(options.registry), v1Hosts(named));
  }

  /**
   * To be called with all references that are to be read, before the first is.
   *
   * @throws UsageError for options that may not be used for one of them.
   */
  admit(references: readonly string[]): void {
    const hosts = v1Hosts(references);
    this.#allowed.admit(hosts);
    refuseSharedEndpoint(hosts, this.#options);
  }

  readonly storeFor = async (store: V1StoreName, signal?: AbortSignal): Promise<V1Store> => {
    const key = formatV1Store(store);
    const known = this.#opened.get(key);
    if (known !== undefined) return await known;
    const opened = this.#open(store, signal);
    this.#opened.set(key, opened);
    opened.catch(() => this.#opened.delete(key));
    return await opened;
  };

  async #open(store: V1StoreName, signal: AbortSignal | undefined): Promise<V1Store> {
    if (store.kind === "folder") return await openV1Folder(store.path, noteTo(this.#options.onProgress));
    this.#allowed.admit([store.host]);
    const { v1Path, v1Endpoint: endpoint } = registryOptions(this.#options.registry);
    return await openV1Registry(store.host, { ...connectOptions(this.#options), v1Path, endpoint }, signal);
  }

  /** HTTP requests so far, to all registries. */
  async requests(): Promise<number> {
    let requests = this.#requests;
    for (const store of await Promise.allSettled(this.#opened.values()))
      if (store.status === "fulfilled") requests += store.value.requests;
    return requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#requests = await this.requests();
    const stores = await Promise.allSettled(this.#opened.values());
    this.#opened.clear();
    for (const store of stores) if (store.status === "fulfilled") await store.value[Symbol.asyncDispose]();
  }
}

/** `host[:port]` of the registries that v1 references name. */
export function v1Hosts(references: readonly string[]): readonly string[] {
  return references.map(storeOf).flatMap(store => (store.kind === "registry" ? [store.host] : []));
}

/** The storage folders that v1 references name. */
export function v1Folders(references: readonly string[]): readonly string[] {
  return references.map(storeOf).flatMap(store => (store.kind === "folder" ? [store.path] : []));
}

/** @throws UsageError for `--endpoint` with several hosts: it can be that of one only. */
export function refuseSharedEndpoint(hosts: readonly string[], { registry }: Pick<V1StoresOptions, "registry">): void {
  const [first, other] = new Set(hosts);
  if (registryOptions(registry).v1Endpoint === undefined || other === undefined) return;
  throw new UsageError(`Cannot use --endpoint for ${first} and ${other}: found two registries, expected one`);
}

function storeOf(reference: string): V1StoreName {
  return parseV1Reference(reference).store;
}
