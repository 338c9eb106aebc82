import type { ClientRequest, IncomingMessage } from "node:http";
import type { LookupFunction, Socket } from "node:net";
import type { HeaderMap } from "../http/headers.ts";
import { MinRate } from "../http/min-rate.ts";
import type { Agents } from "../http/proxy-agents.ts";
import type { RateLimit } from "../http/rate-limit.ts";
import { dumpBody } from "./dump-body.ts";
import { limitAnswer } from "./limit-answer.ts";
import { limitConnecting } from "./limit-connecting.ts";
import { limitIdle } from "./limit-idle.ts";
import { isIterable, limited, limitedBody } from "./limited-body.ts";
import { stopWith } from "./stop-with.ts";

export interface TransportRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A new one for every attempt. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportResponse {
  /** URL of the request; relative locations are resolved against it. */
  readonly url: URL;
  readonly status: number;
  readonly headers: HeaderMap;
  /** Must be read to its end or dumped, else its connection is lost. */
  readonly body: ResponseBody;
}

export interface ResponseBody extends AsyncIterable<Uint8Array> {
  /** Reads the rest, so that the connection can be used again; drops the connection if that would take too long. */
  dump(): Promise<void>;
  /** Makes the reading fail with the reason. */
  destroy(reason: Error): void;
}

export interface ExchangeOptions {
  /** Resolves names, and refuses addresses that the registry must not lead to. */
  readonly lookup: LookupFunction;
  readonly idleMs: number;
  /** Bytes per second that a body must reach; 0 for none, default 1024. */
  readonly minRate: number | undefined;
  readonly rate: RateLimit | undefined;
  /** Called with the body bytes that are about to be sent. */
  readonly onSent: (bytes: number) => void;
}

/** The answer to a closing PUT comes when the storage has accepted the blob: minutes, for a big one. */
export const COMMIT_FACTOR = 2.5;
const MAX_HEADER_BYTES = 32 * 1024;

/** How far one request and its answer are. */
interface ExchangeState {
  isAnswered: boolean;
  /** The system has the whole body. */
  isSent: boolean;
  /** The whole answer has been read. */
  isRead: boolean;
  /** All that there is of the body is sent, and more of it is awaited. */
  isOwnTurn: boolean;
}

/** The connection was reset before any byte of an answer, after it had served another request. */
export class StaleConnection extends Error {
  readonly code = "ECONNRESET";
}

/** One request and its answer. @throws StaleConnection, or the error of the connection. */
export async function exchange(
  request: TransportRequest,
  agents: Agents,
  options: ExchangeOptions,
): Promise<TransportResponse> {
  const { url, method, signal } = request;
  const { lookup, idleMs, rate, minRate } = options;
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
      // The user chose the proxy, and only the proxy knows the address of the host.
      ...(forwarder === undefined ? { lookup } : { path: `${url.origin}${url.pathname}${url.search}` }),
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    if (signal !== undefined) stopWith(signal, outgoing);
    const state: ExchangeState = { isAnswered: false, isSent: false, isRead: false, isOwnTurn: false };
    outgoing.once("socket", socket => {
      keepFromThrowing(socket);
      limitConnecting(socket, fault => outgoing.destroy(fault));
    });
    const waitMs = method === "GET" || method === "HEAD" ? idleMs : idleMs * COMMIT_FACTOR;
    let body: IncomingMessage | undefined;
    // The end of a request with an answer is a reset to the reader of its body.
    limitIdle(
      outgoing,
      waitMs,
      () => state.isOwnTurn,
      fault => (body ?? outgoing).destroy(fault),
    );
    limitAnswer(outgoing, waitMs, reject);
    outgoing.once("finish", () => {
      state.isSent = true;
    });
    outgoing.on("error", error => {
      const isStale = outgoing.reusedSocket && !state.isAnswered && "code" in error && error.code === "ECONNRESET";
      reject(isStale ? new StaleConnection(error.message, { cause: error }) : error);
    });
    outgoing.on("response", answer => {
      state.isAnswered = true;
      state.isOwnTurn = false;
      body = answer;
      answer.setTimeout(idleMs);
      answer.once("end", () => {
        state.isRead = true;
        if (!state.isSent) outgoing.destroy();
      });
      resolve({
        url,
        status: answer.statusCode ?? 0,
        headers: answer.headersDistinct,
        body: bodyOf(answer, new MinRate({ minRate, idleMs }, fault => answer.destroy(fault)), rate, signal),
      });
    });
    sendBody(outgoing, request, state, options).catch(error => outgoing.destroy(error));
  });
}

/** Each part is on the wire before the next one is asked for, because their memory is shared. */
async function sendBody(
  outgoing: ClientRequest,
  request: TransportRequest,
  state: ExchangeState,
  { rate, minRate, idleMs, onSent }: ExchangeOptions,
): Promise<void> {
  const body = limitedBody(request.body, rate, request.signal);
  const pace = new MinRate({ minRate, idleMs }, fault => outgoing.destroy(fault));
  const stop = (): void => pace.stop();
  for (const event of ["finish", "response", "close"]) outgoing.once(event, stop);
  if (!isIterable(body)) {
    const bytes = body?.length ?? 0;
    onSent(bytes);
    pace.sends(bytes);
    if (bytes > 0) pace.start();
    outgoing.end(body);
    return;
  }
  state.isOwnTurn = true;
  for await (const part of body) {
    state.isOwnTurn = false;
    if (state.isAnswered || outgoing.destroyed) {
      // The server still expects the rest, which is not sent: no other request may use this connection.
      if (state.isRead) outgoing.destroy();
      return;
    }
    onSent(part.length);
    pace.sends(part.length);
    pace.start();
    await new Promise<void>(resolve => {
      outgoing.once("close", resolve);
      outgoing.write(part, () => {
        outgoing.off("close", resolve);
        resolve();
      });
    });
    pace.stop();
    state.isOwnTurn = !state.isAnswered;
  }
  state.isOwnTurn = false;
  outgoing.end();
}

const kept = new WeakSet<Socket>();

/**
 * A request that is stopped between the last byte of its answer and the end leaves its socket without a listener: Node
 * takes the listener away at the end, and the error, which comes after it, would end the process.
 */
function keepFromThrowing(socket: Socket): void {
  if (kept.has(socket)) return;
  kept.add(socket);
  socket.on("error", () => undefined);
}

function bodyOf(
  answer: IncomingMessage,
  pace: MinRate,
  rate: RateLimit | undefined,
  signal: AbortSignal | undefined,
): ResponseBody {
  const parts = watched(answer, pace);
  const taken = rate === undefined ? parts : limited(parts, rate, signal);
  return {
    [Symbol.asyncIterator]: () => taken[Symbol.asyncIterator](),
    destroy: reason => void answer.destroy(reason),
    dump: async () => await dumpBody(answer, () => void answer.destroy()),
  };
}

/** The parts of a body, which fails when they come too slowly. */
async function* watched(answer: IncomingMessage, pace: MinRate): AsyncGenerator<Uint8Array> {
  try {
    pace.start();
    for await (const part of answer as AsyncIterable<Uint8Array>) {
      pace.took(part.length);
      pace.stop();
      yield part;
      pace.start();
    }
  } finally {
    pace.stop();
  }
}
