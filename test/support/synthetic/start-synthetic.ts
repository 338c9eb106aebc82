import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { zeros } from "./synthetic-layers.ts";
import { SyntheticRegistry, type SyntheticReply } from "./synthetic-registry.ts";
import type { SyntheticShape } from "./synthetic-shape.ts";

/** Bodies in bytes: sent by clients, and received by them. */
export interface SyntheticCounts {
  requests: number;
  sent: number;
  received: number;
  /** Requests by what they ask for: "GET manifests", "HEAD blobs". */
  kinds: Record<string, number>;
}

export interface RunningSynthetic {
  /** "127.0.0.1:port" */
  readonly host: string;
  readonly registry: SyntheticRegistry;
  readonly counts: SyntheticCounts;
  close(): Promise<void>;
}

/**
 * A synthetic registry on a free loopback port. `GET /synthetic/counts` gives the counts as JSON, and `DELETE /synthetic/counts`
 * sets them to 0; `DELETE /synthetic/pushed` forgets what was pushed.
 */
export async function startSynthetic(shape: Partial<SyntheticShape> = {}): Promise<RunningSynthetic> {
  const registry = new SyntheticRegistry(shape);
  const counts: SyntheticCounts = { requests: 0, sent: 0, received: 0, kinds: {} };
  const server = createServer((request, response) => {
    const { url = "" } = request;
    if (url.startsWith("/synthetic/")) control(registry, counts, request, response);
    else answer(registry, counts, request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    registry,
    counts,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function control(
  registry: SyntheticRegistry,
  counts: SyntheticCounts,
  { method, url }: IncomingMessage,
  response: ServerResponse,
): void {
  response.setHeader("content-type", "application/json");
  if (method === "GET") return void response.end(JSON.stringify(counts));
  if (url === "/synthetic/pushed") registry.forget();
  else Object.assign(counts, { requests: 0, sent: 0, received: 0, kinds: {} });
  response.end("{}");
}

async function answer(
  registry: SyntheticRegistry,
  counts: SyntheticCounts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "", url = "", headers } = request;
  const kind = `${method} ${/\/(manifests|uploads|blobs|referrers|tags|_catalog)(?:\/|\?|$)(?!uploads)/.exec(url)?.[1] ?? "v2"}`;
  counts.requests += 1;
  counts.kinds[kind] = (counts.kinds[kind] ?? 0) + 1;
  const isUpload = registry.isUpload(method, url);
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) {
    counts.sent += part.length;
    if (isUpload) registry.take(url, part);
    else parts.push(part);
  }
  await send(response, registry.answer(method, url, headers, Buffer.concat(parts)), method === "HEAD", counts);
}

async function send(
  response: ServerResponse,
  { status, headers, body }: SyntheticReply,
  isHead: boolean,
  counts: SyntheticCounts,
): Promise<void> {
  const length = Buffer.isBuffer(body) ? body.length : body.end - body.start;
  response.writeHead(status, status === 204 ? headers : { ...headers, "content-length": String(length) });
  if (isHead || length === 0) return void response.end();
  counts.received += length;
  if (Buffer.isBuffer(body)) return void response.end(body);
  await pipeline(Readable.from(zeros(body.start, body.end), { objectMode: false, highWaterMark: 1 }), response);
}
