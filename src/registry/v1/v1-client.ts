import { RegistryError } from "../../errors.ts";
import { readRegistryName } from "../../oci/registry-name.ts";
import { quote } from "../../util/format.ts";
import type { RegistryClient } from "../client/registry-client.ts";
import { CookieJar } from "./cookie-jar.ts";
import { type IndexAuthorizer, TokenAuthorizer } from "./v1-authorizer.ts";
import { readV1, type V1Answer, type V1Call, type V1Origin } from "./v1-call.ts";
import { checkedRepository } from "./v1-names.ts";
import { V1RepositoryClient } from "./v1-repository-client.ts";
import type { V1Repository } from "./v1-store.ts";

export interface V1ClientOptions {
  /** As in references: `host[:port]`. */
  readonly registry: string;
  /** Of the index, with `authorizer`. */
  readonly client: RegistryClient;
  readonly authorizer: IndexAuthorizer;
  /** Before `/v1`: empty, or with a slash first and none last. */
  readonly prefix: string;
  /** Chosen by the user, instead of what the index names. Its transport is its own. */
  readonly endpoint?: RegistryClient | undefined;
}

const ANYONE = new TokenAuthorizer(() => undefined, undefined);

/** One host of the v1 protocol, as an index and as the way to its registries. */
export class V1Client implements AsyncDisposable {
  readonly registry: string;
  readonly #options: V1ClientOptions;
  /** Endpoints that did not answer last: each costs a timeout, so that no repository asks them first. */
  readonly #silent = new Set<string>();

  constructor(options: V1ClientOptions) {
    this.registry = options.registry;
    this.#options = options;
  }

  /** HTTP requests so far. */
  get requests(): number {
    const { client, endpoint } = this.#options;
    return client.transport.requests + (endpoint?.transport.requests ?? 0);
  }

  /** Address of a path below `/v1/` of the index. */
  urlOf(path: string): URL {
    return new URL(`${this.#options.prefix}/v1/${path}`, this.#options.client.base);
  }

  /**
   * Sends a call that belongs to no repository to the index, with Basic if there are credentials, and retries transient
   * failures. Credentials are for its host alone.
   *
   * @throws AuthError, NotFoundError, NetworkError, RegistryError for every status that `accept` does not list.
   */
  async call(call: V1Call): Promise<V1Answer> {
    const { client: index } = this.#options;
    const { registry } = this;
    const client = call.isAnonymous === true ? index.as({ registry, base: index.base, authenticator: ANYONE }) : index;
    const origin: V1Origin = {
      client,
      prefix: this.#options.prefix,
      repository: "",
      secrets: () => this.#options.authorizer.secrets,
    };
    const once = async (): Promise<V1Answer> => await readV1(origin, call);
    return call.isTriedOnce === true ? await once() : await client.retrying(call.what, call.signal, once);
  }

  /**
   * A repository for one kind of access: it has its own token and cookies.
   *
   * @throws UsageError for a name that must not become part of a request.
   */
  repository(repository: V1Repository): V1RepositoryClient {
    const name = checkedRepository(repository);
    const { client, prefix, authorizer } = this.#options;
    const jar = new CookieJar();
    // By origin: an upload is bound to its cookie, also after the index has named its endpoints again.
    const jars = new Map([[client.base.origin, jar]]);
    const own = client.as({ registry: this.registry, base: client.base, authenticator: authorizer, cookies: jar });
    const { registry } = this;
    return new V1RepositoryClient({
      repository,
      index: { client: own, prefix, repository: name, secrets: () => [...jar.secrets, ...authorizer.secrets] },
      endpointsOf: (listed, token) => this.#endpoints(listed, token, name, jars),
      registry,
      silent: this.#silent,
    });
  }

  /** @param listed by the index; empty: its own host. @param jars by origin. */
  #endpoints(
    listed: readonly string[],
    token: () => string | undefined,
    repository: string,
    jars: Map<string, CookieJar>,
  ): readonly V1Origin[] {
    const { client, endpoint } = this.#options;
    const origin = (base: URL, from: RegistryClient): V1Origin => {
      const isIndex = base.origin === client.base.origin;
      const jar = jars.get(base.origin) ?? new CookieJar();
      jars.set(base.origin, jar);
      const authenticator = new TokenAuthorizer(token, isIndex ? this.#options.authorizer : undefined);
      return {
        client: from.as({ registry: isIndex ? this.registry : base.host, base, authenticator, cookies: jar }),
        prefix: base.hostname === client.base.hostname || endpoint !== undefined ? this.#options.prefix : "",
        repository,
        tokenFrom: isIndex ? undefined : this.registry,
        secrets: () => [
          ...jar.secrets,
          ...this.#options.authorizer.secrets,
          ...[token()].filter(text => text !== undefined),
        ],
      };
    };
    if (endpoint !== undefined) return [origin(endpoint.base, endpoint)];
    if (listed.length === 0) return [origin(client.base, client)];
    return listed.map(host => origin(this.#baseOf(host), client));
  }

  /** The scheme is that of the index: an index with TLS never leads to a registry without. */
  #baseOf(host: string): URL {
    const read = readRegistryName(host);
    if ("name" in read) return new URL(`${this.#options.client.base.protocol}//${read.name}/`);
    throw new RegistryError(
      `Cannot use endpoint ${quote(host)} of ${this.registry}: found ${read.found}, expected ${read.expected}`,
      { status: 200, hint: "The index names it in X-Docker-Endpoints; --endpoint names another one." },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { client, endpoint } = this.#options;
    await client.transport[Symbol.asyncDispose]();
    await endpoint?.transport[Symbol.asyncDispose]();
  }
}
