import { NetworkError, RegistryError } from "../../errors.ts";
import { type HeaderMap, headerList } from "../http/headers.ts";
import type { TransportResponse } from "../transport/transport.ts";
import { joinFaults } from "./endpoint-faults.ts";
import { MAX_LIST_BYTES, openV1, readV1, type V1Answer, type V1Call, type V1Origin, whereOf } from "./v1-call.ts";
import type { V1Repository } from "./v1-store.ts";

export interface V1RepositoryClientOptions {
  readonly registry: string;
  readonly repository: V1Repository;
  readonly index: V1Origin;
  /** Hosts that did not answer last, of all repositories. */
  readonly silent: Set<string>;
  /** Clients of the endpoints that the index lists. */
  readonly endpointsOf: (listed: readonly string[], token: () => string | undefined) => readonly V1Origin[];
}

const MAX_ENDPOINTS = 16;
const MAX_TOKEN_LENGTH = 8192;
/** What messages say of `announce`. */
export const IMAGES = { verb: "read", what: "list of images", method: "GET" } as const;

/** One repository of an index, with the token, the cookies and the endpoints of one kind of access. */
export class V1RepositoryClient {
  readonly repository: V1Repository;
  readonly #options: V1RepositoryClientOptions;
  #token: string | undefined;
  #endpoints: readonly V1Origin[];

  constructor(options: V1RepositoryClientOptions) {
    this.#options = options;
    this.repository = options.repository;
    this.#endpoints = options.endpointsOf([], () => this.#token);
  }

  /** The token that the index gave last, without the word in front of it. A secret. */
  get token(): string | undefined {
    return this.#token;
  }

  /** As messages name it: `host/namespace/name`. */
  toString(): string {
    return whereOf(this.#options.index);
  }

  /** `host[:port]` of each registry that the index named last; its own host if it named none. */
  get endpoints(): readonly string[] {
    return this.#endpoints.map(({ client }) => client.base.host);
  }

  /**
   * Sends a call to the index, with Basic, and asks for a token unless `wantsToken` is false. What the answer says about
   * token and endpoints counts from then on.
   *
   * @throws as `V1Client.call`; RegistryError for a token or endpoints that cannot be used.
   */
  async callIndex(call: V1Call): Promise<V1Answer> {
    const { index } = this.#options;
    const once = async (): Promise<V1Answer> => await readV1(index, { wantsToken: true, ...call });
    const answer = call.isTriedOnce === true ? await once() : await index.client.retrying(call.what, call.signal, once);
    this.#token = this.#tokenIn(answer) ?? this.#token;
    const listed = this.#endpointsIn(answer.headers);
    if (listed.length > 0) this.#endpoints = this.#options.endpointsOf(listed, () => this.#token);
    return answer;
  }

  /**
   * Announces the repository: the index gives a token for reading, and endpoints.
   *
   * @returns its list of images, unread: some give an empty one.
   * @throws as `callIndex`; NotFoundError for a repository that the index does not know.
   */
  async announce(signal?: AbortSignal): Promise<V1Answer> {
    const { namespace, name } = this.repository;
    return await this.callIndex({
      ...IMAGES,
      path: `repositories/${namespace}/${name}/images`,
      accept: [200],
      maxBytes: MAX_LIST_BYTES,
      signal,
    });
  }

  /** Sends a call to the endpoints in turn, with the token, until one answers, and retries transient failures of all. */
  async call(call: V1Call): Promise<V1Answer> {
    const once = async (): Promise<V1Answer> => await this.#inTurn(call, async origin => await readV1(origin, call));
    return call.isTriedOnce === true ? await once() : await this.retrying(call, once);
  }

  /** Sends a call to each endpoint, with the token. @throws the first failure */
  async callEach(call: V1Call): Promise<void> {
    for (const origin of this.#endpoints) await this.retrying(call, async () => await readV1(origin, call));
  }

  /** As `call`, once at each endpoint. The body of the answer must be read or dumped. */
  async open(call: V1Call): Promise<{ readonly response: TransportResponse; readonly origin: V1Origin }> {
    return await this.#inTurn(call, async origin => ({ response: await openV1(origin, call), origin }));
  }

  /** Repeats `task` while it fails for transient reasons. */
  async retrying<T>({ what, signal }: Pick<V1Call, "what" | "signal">, task: () => Promise<T>): Promise<T> {
    return await this.#options.index.client.retrying(what, signal, task);
  }

  async #inTurn<T>(call: V1Call, task: (origin: V1Origin) => Promise<T>): Promise<T> {
    const failures: { readonly host: string; readonly error: unknown }[] = [];
    const { silent } = this.#options;
    const isSilent = ({ client }: V1Origin): boolean => silent.has(client.base.host);
    for (const origin of this.#endpoints.toSorted((a, b) => Number(isSilent(a)) - Number(isSilent(b)))) {
      try {
        const result = await task(origin);
        silent.delete(origin.client.base.host);
        // What failed once is not asked first again.
        if (failures.length > 0) this.#endpoints = [origin, ...this.#endpoints.filter(other => other !== origin)];
        return result;
      } catch (error) {
        call.signal?.throwIfAborted();
        if (error instanceof NetworkError) silent.add(origin.client.base.host);
        failures.push({ host: origin.client.base.host, error });
        if (call.isFinal?.(error) === true) break;
      }
    }
    throw joinFaults(call, `${this}`, failures);
  }

  #endpointsIn(headers: HeaderMap): readonly string[] {
    const hosts = headerList(headers, "x-docker-endpoints")
      .flatMap(line => line.split(","))
      .map(host => host.trim())
      .filter(host => host !== "");
    const distinct = [...new Set(hosts)];
    if (distinct.length <= MAX_ENDPOINTS) return distinct;
    throw this.#refused(`${distinct.length} endpoints`, `at most ${MAX_ENDPOINTS}`);
  }

  /** The Hub sends it bare, docker-registry with the word "Token" before it. */
  #tokenIn({ headers }: V1Answer): string | undefined {
    const values = headerList(headers, "x-docker-token").map(value => value.replace(/^\s*Token\s+/i, "").trim());
    const token = values.filter(value => value !== "").join(",");
    if (token === "") return undefined;
    // It is copied into requests (security case A-14).
    if (token.length <= MAX_TOKEN_LENGTH && /^[\x20-\x7e]+$/.test(token)) return token;
    throw this.#refused("a token with other characters, or too long", `printable ASCII, at most ${MAX_TOKEN_LENGTH}`);
  }

  #refused(found: string, expected: string): RegistryError {
    return new RegistryError(
      `Cannot use answer of ${this.#options.registry} for ${this}: found ${found}, expected ${expected}`,
      {
        status: 200,
        hint: "The index, or a proxy in front of it, is misconfigured or hostile.",
      },
    );
  }
}
