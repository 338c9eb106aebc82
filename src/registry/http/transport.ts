import type { ClientRequest, IncomingMessage } from "node:http";
import type { LookupFunction, Socket } from "node:net";
import { hooked } from "../../util/operation-hook.ts";
import { KnownHosts } from "../origin/known-hosts.ts";
import { originOf } from "../origin/origin.ts";
import { isIterable, limited, limitedBody } from "./limited-body.ts";
import { Agents } from "./proxy-agents.ts";
import type { ProxyFor } from "./proxy-settings.ts";
import { type TransportOptions, trustSystem } from "./tls-options.ts";

export interface TransportRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Made anew for every attempt. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportResponse {
  /** What was asked; relative locations are meant from here. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Must be read to its end or dumped, else its connection is lost. */
  readonly body: AsyncIterable<Uint8Array> & { dump(): Promise<void> };
}

const CONNECT_MS = 30_000;
const IDLE_MS = 120_000;
/** A closing PUT is answered when the storage behind the registry has taken the blob in, which takes it minutes for a big one. */
const COMMIT_FACTOR = 2.5;
/** A longer rest costs more than a new connection. */
const DUMP_BYTES = 256 * 1024;
const MAX_HEADER_BYTES = 32 * 1024;

/** TLS choices for an origin that is not the registry's. */
export type OptionsFor = (url: URL) => Promise<TransportOptions>;

/** One hop of HTTP/1.1: no redirects, no cookies, no content decoding, no retries; those are policy of the floors above. */
export class Transport implements AsyncDisposable {
  /** Requests sent so far. */
  requests = 0;
  /** Body bytes sent so far. */
  bytesSent = 0;
  readonly options: TransportOptions;
  /** Resolves names for connections, remembers where they lie, and refuses where a registry must not lead. */
  readonly lookup: LookupFunction;
  readonly #homeUrl: URL;
  readonly #proxyFor: ProxyFor;
  readonly #home: Agents;
  readonly #optionsFor: OptionsFor;
  /** By origin. */
  readonly #foreign = new Map<string, Promise<Agents>>();
  readonly #hosts: KnownHosts;

  /**
   * @param proxyFor without it, every connection is direct.
   * @param optionsFor what was chosen for another origin, such as a token server; without it, nothing.
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
  }

  /** True when the host of this URL lies in a private network or on this machine, as far as a connection to it told. */
  isInside({ hostname }: URL): boolean {
    return this.#hosts.isInside(hostname);
  }

  /** True when `lookup`, and `options` for the registry itself, are all that it takes to reach this URL. */
  async isDirect(url: URL): Promise<boolean> {
    if (this.#proxyFor(url) !== undefined || this.#hosts.refusal(url.hostname) !== null) return false;
    return this.#isHome(url) || !(await this.#agentsFor(url)).hasOwnTrust;
  }

  /** @throws NetworkError for a host that the registry must not lead to; else what the connection failed with. */
  async send(request: TransportRequest): Promise<TransportResponse> {
    this.requests += 1;
    const refusal = this.#hosts.refusal(request.url.hostname);
    if (refusal !== null) throw refusal;
    const agents = await this.#agentsFor(request.url);
    const operation = { kind: "request", place: `${request.method} ${request.url.pathname}` } as const;
    const once = (): Promise<TransportResponse> => hooked(operation, async () => this.#exchange(request, agents));
    try {
      return await once();
    } catch (error) {
      // A server may close an idle connection at the moment it is used again; that says nothing about the next one.
      const isWorthwhile = error instanceof StaleConnection || trustSystem(error);
      if (!isWorthwhile || isIterable(request.body)) throw error;
      return await once();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#home.destroy();
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

  async #exchange(request: TransportRequest, agents: Agents): Promise<TransportResponse> {
    const { url, method, signal } = request;
    const { client, agent, forwarder } = await agents.forUrl(url);
    const headers = { ...request.headers };
    if (forwarder !== undefined) {
      headers["host"] = url.host;
      if (forwarder.authorization !== undefined) headers["proxy-authorization"] = forwarder.authorization;
    }
    return await new Promise<TransportResponse>((resolve, reject) => {
      const outgoing = client.request(forwarder?.url ?? url, {
        method,
        headers,
        agent,
        // The proxy was chosen by the user, and it alone knows where the host lies.
        ...(forwarder === undefined ? { lookup: this.lookup } : { path: `${url.origin}${url.pathname}${url.search}` }),
        maxHeaderSize: MAX_HEADER_BYTES,
        ...(signal === undefined ? {} : { signal }),
      });
      const state: ExchangeState = { isAnswered: false, isSent: false, isRead: false };
      outgoing.once("socket", socket => limitConnecting(socket, fault => outgoing.destroy(fault)));
      const { idleMs = IDLE_MS } = this.options;
      outgoing.setTimeout(method === "GET" || method === "HEAD" ? idleMs : idleMs * COMMIT_FACTOR, () =>
        outgoing.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })),
      );
      outgoing.on("error", error => {
        const isStale = outgoing.reusedSocket && !state.isAnswered && "code" in error && error.code === "ECONNRESET";
        reject(isStale ? new StaleConnection(error.message, { cause: error }) : error);
      });
      outgoing.on("response", answer => {
        state.isAnswered = true;
        answer.setTimeout(idleMs);
        answer.once("end", () => {
          state.isRead = true;
          if (!state.isSent) outgoing.destroy();
        });
        resolve({
          url,
          status: answer.statusCode ?? 0,
          headers: answer.headersDistinct,
          body: bodyOf(answer, this.options.rate, signal),
        });
      });
      this.#sendBody(outgoing, request.body, state, signal).catch(error => outgoing.destroy(error));
    });
  }

  /** Each part is on the wire before the next one is asked for: its memory is used again then. */
  async #sendBody(
    outgoing: ClientRequest,
    whole: Uint8Array | AsyncIterable<Uint8Array> | undefined,
    state: ExchangeState,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const body = limitedBody(whole, this.options.rate, signal);
    if (!isIterable(body)) {
      state.isSent = true;
      this.bytesSent += body?.length ?? 0;
      outgoing.end(body);
      return;
    }
    for await (const part of body) {
      if (state.isAnswered || outgoing.destroyed) {
        // The server still waits for the rest, which nobody will send: no other request may follow on this connection.
        if (state.isRead) outgoing.destroy();
        return;
      }
      this.bytesSent += part.length;
      await new Promise<void>(resolve => {
        outgoing.once("close", resolve);
        outgoing.write(part, () => {
          outgoing.off("close", resolve);
          resolve();
        });
      });
    }
    state.isSent = true;
    outgoing.end();
  }
}

/** Ends the wait for a host that does not answer at all; the system alone would wait for minutes. */
function limitConnecting(socket: Socket, onTimeout: (fault: Error) => void): void {
  if (!socket.connecting) return;
  const fault = Object.assign(new Error("no connection in time"), { code: "ETIMEDOUT", syscall: "connect" });
  const timer = setTimeout(onTimeout, CONNECT_MS, fault);
  const stop = (): void => clearTimeout(timer);
  socket.once("connect", stop);
  socket.once("close", stop);
}

/** How far one request and its answer have come. */
interface ExchangeState {
  isAnswered: boolean;
  /** The whole body has been handed to the socket. */
  isSent: boolean;
  /** The whole answer has been read. */
  isRead: boolean;
}

/** The connection was reset before any byte of an answer, after it had served another request. */
class StaleConnection extends Error {
  readonly code = "ECONNRESET";
}

function bodyOf(
  answer: IncomingMessage,
  rate: TransportOptions["rate"],
  signal: AbortSignal | undefined,
): TransportResponse["body"] {
  const parts = rate === undefined ? answer : limited(answer, rate, signal);
  return {
    [Symbol.asyncIterator]: () => parts[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>,
    async dump() {
      let left = DUMP_BYTES;
      try {
        for await (const part of answer as AsyncIterable<Uint8Array>) {
          left -= part.length;
          if (left < 0) break;
        }
      } catch {
        // Nobody wants this body, nor its faults.
      }
    },
  };
}
