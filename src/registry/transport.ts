import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import type { LookupFunction, Socket } from "node:net";
import { addressKind } from "./address.ts";
import { originOf } from "./origin.ts";
import { type TransportOptions, tlsOptions } from "./tls-options.ts";

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
const COMMIT_MS = 300_000;
/** A longer rest costs more than a new connection. */
const DUMP_BYTES = 256 * 1024;
const MAX_HEADER_BYTES = 32 * 1024;
const KEEP_ALIVE = { keepAlive: true, maxFreeSockets: 16, scheduling: "lifo" } as const;

type HttpClient = Pick<typeof import("node:http"), "request">;

/** One hop of HTTP/1.1: no redirects, no cookies, no content decoding, no retries; those are policy of the floors above. */
export class Transport implements AsyncDisposable {
  /** Requests sent so far. */
  requests = 0;
  /** Body bytes sent so far. */
  bytesSent = 0;
  readonly options: TransportOptions;
  readonly #homeOrigin: string;
  readonly #home: Agents;
  readonly #foreign = new Agents({});
  readonly #insideHosts = new Map<string, boolean>();

  constructor(home: URL, options: TransportOptions = {}) {
    this.options = options;
    this.#homeOrigin = originOf(home);
    this.#home = new Agents(options);
  }

  /** Resolves names for connections, and remembers where they lie. */
  readonly lookup: LookupFunction = (host: string, options: LookupOptions, callback) => {
    lookup(host, options, (error, address: string | LookupAddress[], family) => {
      const addresses = typeof address === "string" ? [address] : (address ?? []).map(entry => entry.address);
      if (error === null) this.#insideHosts.set(host, addresses.length > 0 && addresses.every(isInside));
      callback(error, address, family);
    });
  };

  /** True when the host of this URL lies in a private network or on this machine, as far as a connection to it told. */
  isInside({ hostname }: URL): boolean {
    return this.#insideHosts.get(hostname) ?? isInside(hostname);
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    this.requests += 1;
    const isHome = originOf(request.url) === this.#homeOrigin;
    // Other origins get none of this registry's TLS choices.
    const agents = isHome ? this.#home : this.#foreign;
    try {
      return await this.#exchange(request, agents);
    } catch (error) {
      // A server may close an idle connection at the moment it is used again; that says nothing about the next one.
      if (!(error instanceof StaleConnection) || isIterable(request.body)) throw error;
      return await this.#exchange(request, agents);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#home.destroy();
    this.#foreign.destroy();
  }

  async #exchange(request: TransportRequest, agents: Agents): Promise<TransportResponse> {
    const { url, method, headers, signal } = request;
    const { client, agent } = await agents.forUrl(url);
    return await new Promise<TransportResponse>((resolve, reject) => {
      const outgoing = client.request(url, {
        method,
        headers: { ...headers },
        agent,
        lookup: this.lookup,
        maxHeaderSize: MAX_HEADER_BYTES,
        ...(signal === undefined ? {} : { signal }),
      });
      const state: ExchangeState = { isAnswered: false, isSent: false, isRead: false };
      outgoing.once("socket", socket => limitConnecting(socket, fault => outgoing.destroy(fault)));
      outgoing.setTimeout(method === "GET" || method === "HEAD" ? IDLE_MS : COMMIT_MS, () =>
        outgoing.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })),
      );
      outgoing.on("error", error => {
        const isStale = outgoing.reusedSocket && !state.isAnswered && "code" in error && error.code === "ECONNRESET";
        reject(isStale ? new StaleConnection(error.message, { cause: error }) : error);
      });
      outgoing.on("response", answer => {
        state.isAnswered = true;
        answer.setTimeout(IDLE_MS);
        answer.once("end", () => {
          state.isRead = true;
          if (!state.isSent) outgoing.destroy();
        });
        resolve({ url, status: answer.statusCode ?? 0, headers: answer.headersDistinct, body: bodyOf(answer) });
      });
      this.#sendBody(outgoing, request.body, state).catch(error => outgoing.destroy(error));
    });
  }

  /** Each part is on the wire before the next one is asked for: its memory is used again then. */
  async #sendBody(
    outgoing: ClientRequest,
    body: Uint8Array | AsyncIterable<Uint8Array> | undefined,
    state: ExchangeState,
  ): Promise<void> {
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

/** Keep-alive connections of one set of TLS choices. */
class Agents {
  readonly #options: TransportOptions;
  #plain: HttpAgent | undefined;
  #tls: HttpAgent | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  async forUrl(url: URL): Promise<{ readonly client: HttpClient; readonly agent: HttpAgent }> {
    if (url.protocol === "http:") {
      this.#plain ??= new HttpAgent(KEEP_ALIVE);
      return { client: { request: httpRequest }, agent: this.#plain };
    }
    // Loaded when needed: most of a short command's time is loading.
    const https = await import("node:https");
    this.#tls ??= new https.Agent({ ...KEEP_ALIVE, ...tlsOptions(this.#options) });
    return { client: { request: https.request }, agent: this.#tls };
  }

  destroy(): void {
    this.#plain?.destroy();
    this.#tls?.destroy();
  }
}

function bodyOf(answer: IncomingMessage): TransportResponse["body"] {
  return {
    [Symbol.asyncIterator]: () => answer[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>,
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

function isIterable(body: TransportRequest["body"]): body is AsyncIterable<Uint8Array> {
  return body !== undefined && Symbol.asyncIterator in body;
}

function isInside(host: string): boolean {
  const kind = addressKind(host);
  return kind === "private" || kind === "loopback";
}
