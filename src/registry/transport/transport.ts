import type { LookupFunction } from "node:net";
import { hooked } from "../../util/operation-hook.ts";
import { isUnavailable } from "../http/network-error.ts";
import { Agents } from "../http/proxy-agents.ts";
import type { ProxyFor } from "../http/proxy-settings.ts";
import { type TransportOptions, trustLevel, trustSystem } from "../http/tls-options.ts";
import { KnownHosts } from "../origin/known-hosts.ts";
import { originOf } from "../origin/origin.ts";
import { TlsSessions } from "../origin/tls-sessions.ts";
import { BulkConnections, type BulkRequest } from "./bulk-connections.ts";
import { exchange, StaleConnection, type TransportRequest, type TransportResponse } from "./exchange.ts";
import { gathered, MAX_SHORT_BODY_BYTES } from "./gathered.ts";
import { isIterable } from "./limited-body.ts";
import type { ResponseHead } from "./response-head.ts";
import { ShortConnections } from "./short-connections.ts";

export type { TransportRequest, TransportResponse } from "./exchange.ts";

const IDLE_MS = 120_000;

/** TLS choices for an origin that is not the registry's. */
export type OptionsFor = (url: URL) => Promise<TransportOptions>;

/** One hop of HTTP/1.1: no redirects, no cookies, no content decoding, no retries; those are the policy of the client. */
export class Transport implements AsyncDisposable {
  /** Requests sent so far. */
  requests = 0;
  /** Body bytes sent so far. */
  bytesSent = 0;
  readonly options: TransportOptions;
  /** Resolves names for connections, remembers their addresses, and refuses those that a registry must not lead to. */
  readonly lookup: LookupFunction;
  readonly #homeUrl: URL;
  readonly #proxyFor: ProxyFor;
  readonly #home: Agents;
  readonly #optionsFor: OptionsFor;
  /** By origin. */
  readonly #foreign = new Map<string, Promise<Agents>>();
  readonly #hosts: KnownHosts;
  readonly #bulk: BulkConnections;
  readonly #short: ShortConnections;
  /** By origin. */
  readonly #answers = new Map<string, number>();

  /**
   * @param proxyFor default: every connection is direct.
   * @param optionsFor TLS options of another origin, such as a token server; default none.
   */
  constructor(
    home: URL,
    options: TransportOptions = {},
    proxyFor: ProxyFor = () => undefined,
    optionsFor: OptionsFor = async () => ({}),
  ) {
    this.options = options;
    this.#homeUrl = home;
    this.#proxyFor = proxyFor;
    this.#home = new Agents(options, proxyFor);
    this.#optionsFor = optionsFor;
    this.#hosts = new KnownHosts(home.hostname);
    this.lookup = this.#hosts.lookup;
    const sessions = new TlsSessions();
    this.#bulk = new BulkConnections(this.lookup, sessions);
    this.#short = new ShortConnections(this.lookup, sessions);
  }

  /** True when the host of this URL is in a private network or on this machine, as far as a connection has shown. */
  isInside({ hostname }: URL): boolean {
    return this.#hosts.isInside(hostname);
  }

  /**
   * Takes a big body over a connection of its own, which costs a quarter of the CPU of `send`.
   *
   * @returns undefined behind a proxy, and for another origin that has certificates of its own.
   * @throws like `send`; NetworkError (transient) when the body breaks off.
   */
  async download(request: BulkRequest): Promise<ResponseHead | undefined> {
    const { url } = request;
    if (!(await this.isDirect(url))) return undefined;
    this.requests += 1;
    const { idleMs, rate, minRate } = this.options;
    const options = this.#isHome(url) ? this.options : { idleMs, rate, minRate };
    const accept = (head: ResponseHead): boolean => {
      this.#noteAnswer(url, head.status);
      return request.accept(head);
    };
    return await hooked({ kind: "request", target: `GET ${url.pathname}` }, async () =>
      this.#bulk.get({ ...request, accept }, options),
    );
  }

  /** True when `lookup`, and `options` for the registry itself, are all that it takes to reach this URL. */
  async isDirect(url: URL): Promise<boolean> {
    return await this.#isDirect(url);
  }

  /** A promise only where the options of another origin must be read. */
  #isDirect(url: URL): boolean | Promise<boolean> {
    if (this.#proxyFor(url) !== undefined || this.#hosts.refusal(url.hostname) !== null) return false;
    return this.#isHome(url) || this.#agentsFor(url).then(({ hasOwnTrust }) => !hasOwnTrust);
  }

  /** @throws NetworkError for a host that the registry must not lead to; else what the connection failed with. */
  async send(given: TransportRequest): Promise<TransportResponse> {
    this.requests += 1;
    const refusal = this.#hosts.refusal(given.url.hostname);
    if (refusal !== null) throw refusal;
    const request = this.options.rate === undefined && isIterable(given.body) ? await gathered(given) : given;
    const isShort = this.#isShort(request);
    const exchangeOnce = (typeof isShort === "boolean" ? isShort : await isShort) ? this.#sendShort : this.#sendLong;
    const operation = { kind: "request", target: `${request.method} ${request.url.pathname}` } as const;
    const once = async (): Promise<TransportResponse> => {
      const response = await hooked(operation, async () => exchangeOnce(request));
      this.#noteAnswer(request.url, response.status);
      return response;
    };
    const level = trustLevel();
    try {
      return await once();
    } catch (error) {
      // A server may close an idle connection at the moment of its next use; a new one may work.
      const isWorthwhile = error instanceof StaleConnection || trustSystem(error, level);
      if (!isWorthwhile || isIterable(request.body)) throw error;
      return await once();
    }
  }

  /** Whether the whole exchange is small enough for a connection without streams, and needs no limit of its own. */
  #isShort({ url, body }: TransportRequest): boolean | Promise<boolean> {
    const isInMemory = body === undefined || (!isIterable(body) && body.length <= MAX_SHORT_BODY_BYTES);
    return isInMemory && this.options.rate === undefined && this.#isDirect(url);
  }

  readonly #sendShort = async (request: TransportRequest): Promise<TransportResponse> => {
    const { body } = request;
    if (body instanceof Uint8Array) this.bytesSent += body.length;
    const { idleMs, minRate } = this.options;
    const options = this.#isHome(request.url) ? this.options : { idleMs, minRate };
    return await this.#short.send(request, options);
  };

  readonly #sendLong = async (request: TransportRequest): Promise<TransportResponse> => {
    const agents = await this.#agentsFor(request.url);
    const { idleMs = IDLE_MS, rate, minRate } = this.options;
    const onSent = (bytes: number): void => {
      this.bytesSent += bytes;
    };
    return await exchange(request, agents, { lookup: this.lookup, idleMs, minRate, rate, onSent });
  };

  /** How many answers the host of this URL has given, without those of a proxy that nothing is behind. */
  answers(url: URL): number {
    return this.#answers.get(originOf(url)) ?? 0;
  }

  /** Closes connections that carry no request: after an outage, or a change of addresses, they lead nowhere. */
  dropIdle(): void {
    this.#home.dropIdle();
    this.#bulk.destroy();
    this.#short.dropIdle();
    for (const agents of this.#foreign.values()) {
      agents.then(
        made => made.dropIdle(),
        () => undefined,
      );
    }
  }

  #noteAnswer(url: URL, status: number): void {
    if (!isUnavailable(status)) this.#answers.set(originOf(url), this.answers(url) + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#home.destroy();
    this.#bulk.destroy();
    this.#short.destroy();
    for (const agents of await Promise.allSettled(this.#foreign.values())) {
      if (agents.status === "fulfilled") agents.value.destroy();
    }
  }

  #isHome(url: URL): boolean {
    return originOf(url) === originOf(this.#homeUrl);
  }

  /** Other origins get none of this registry's TLS choices. */
  async #agentsFor(url: URL): Promise<Agents> {
    if (this.#isHome(url)) return this.#home;
    const origin = originOf(url);
    const known = this.#foreign.get(origin);
    const agents = known ?? this.#optionsFor(url).then(options => new Agents(options, this.#proxyFor));
    this.#foreign.set(origin, agents);
    return await agents;
  }
}
