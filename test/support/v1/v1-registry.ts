// A v1 registry and its index in memory, as docker-registry 0.6, 0.8 and 0.9 behave, on free loopback ports.
//
//   const server = await V1Registry.start({ manner: "0.9", hasIndex: true });
//   fillImage(server.content, "team/app", "1.0");    // or server.content.addImage(…), addTag(…)
//   … v1://${server.host}/team/app:1.0 …
//   server.seen(/^GET .*\/layer$/), server.requests, server.host, server.registryHost, server.storageHost
//
// Semantic faults are changes of `server.content` (see v1-content.ts): ancestry, checksums, json, layer, isInProgress.
// Faults of single requests: `server.addFault({ on, reply | change | isReset })`; half a layer is
// `change: () => ({ cutAfter: 100 })`. Standing oddities are options (v1-options.ts). More routes: `server.routes.index`.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { refusal, type V1Answer, type V1Role, type V1Seen } from "./v1-answer.ts";
import { V1Content } from "./v1-content.ts";
import { indexRoute } from "./v1-index.ts";
import type { V1Context, V1Fault, V1Manner, V1Options, V1Route } from "./v1-options.ts";
import { readingRoute, storageRoute } from "./v1-reading.ts";
import { V1Tokens } from "./v1-tokens.ts";
import { writingRoute } from "./v1-writing.ts";

export class V1Registry implements V1Context {
  readonly content: V1Content = new V1Content();
  readonly tokens: V1Tokens = new V1Tokens();
  /** Of all servers, in the order in which they came. */
  readonly requests: V1Seen[] = [];
  /** Asked in turn; add routes to the front of one. */
  readonly routes: Record<V1Role, V1Route[]>;
  /** Changed freely between requests. */
  options: V1Options;
  readonly #faults: { readonly fault: V1Fault; left: number }[] = [];
  readonly #servers = new Map<V1Role, Server>();
  readonly hostOf = (role: V1Role): string => {
    const address = this.#servers.get(role)?.address() as AddressInfo | undefined;
    return `127.0.0.1:${address?.port ?? 0}`;
  };

  private constructor(options: V1Options) {
    this.options = options;
    this.routes = options.hasIndex
      ? { index: [indexRoute], registry: [readingRoute, writingRoute], storage: [storageRoute] }
      : { index: [], registry: [readingRoute, indexRoute, writingRoute], storage: [storageRoute] };
  }

  /** Runs until the end of the test. */
  static async start(options: V1Options = {}): Promise<V1Registry> {
    const { registry, close } = await V1Registry.open(options);
    onTestFinished(close);
    return registry;
  }

  /** Runs until it is closed: for one server of many tests. */
  static async open(options: V1Options = {}): Promise<{ registry: V1Registry; close: () => Promise<void> }> {
    const registry = new V1Registry(options);
    const roles: V1Role[] = ["registry", "storage", ...(options.hasIndex === true ? (["index"] as const) : [])];
    await Promise.all(roles.map(async role => await registry.#listen(role)));
    return { registry, close: async () => await registry.#close() };
  }

  get manner(): V1Manner {
    return this.options.manner ?? "0.9";
  }

  /** What `v1://` names: the index, or the registry without one. */
  get host(): string {
    return this.hostOf(this.options.hasIndex === true ? "index" : "registry");
  }

  get registryHost(): string {
    return this.hostOf("registry");
  }

  get storageHost(): string {
    return this.hostOf("storage");
  }

  addFault(fault: V1Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  clearFaults(): void {
    this.#faults.length = 0;
  }

  /** Requests that match, as `METHOD path`. */
  seen(pattern: RegExp): readonly V1Seen[] {
    return this.requests.filter(({ method, path }) => pattern.test(`${method} ${path}`));
  }

  /** All requests as `METHOD path`. */
  get lines(): readonly string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  async #listen(role: V1Role): Promise<void> {
    const server = createServer((request, response) => {
      this.#answer(role, request, response).catch(() => response.destroy());
    });
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    this.#servers.set(role, server);
  }

  async #close(): Promise<void> {
    for (const server of this.#servers.values()) {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    }
  }

  async #answer(role: V1Role, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const seen: V1Seen = { server: role, method, path: url, headers, body: Buffer.alloc(0), status: 0 };
    this.requests.push(seen);
    const fault = this.#faultFor(seen);
    fault?.onRequest?.();
    if (fault?.isReset === true) return void request.socket.resetAndDestroy();
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    seen.body = Buffer.concat(parts);
    let answer = fault?.reply === undefined ? this.#route(seen) : { ...refusal(500, "Fault"), ...fault.reply };
    if (fault?.change !== undefined) answer = { ...answer, ...fault.change(answer, seen) };
    seen.status = answer.status;
    await send(response, method, answer);
  }

  #route(seen: V1Seen): V1Answer {
    const { gone, isReadOnly, path: prefix = "" } = this.options;
    const isRead = seen.method === "GET" || seen.method === "HEAD";
    if (gone === "html") {
      return { status: 200, headers: { "content-type": "text/html" }, body: Buffer.from("<!DOCTYPE html><p>Gone</p>") };
    }
    if (gone !== undefined) return refusal(gone, "Gone");
    if (isReadOnly === true && !isRead) return refusal(500, "This test only reads");
    const { pathname } = new URL(seen.path, "http://registry/");
    const base = seen.server === "storage" ? "" : `${prefix}/v1`;
    if (!pathname.startsWith(`${base}/`)) return refusal(404, "Not found");
    for (const route of this.routes[seen.server]) {
      const answer = route(seen, this, pathname.slice(base.length));
      if (answer !== undefined) return answer;
    }
    return refusal(404, "Not found");
  }

  #faultFor({ server, method, path }: V1Seen): V1Fault | undefined {
    const entry = this.#faults.find(
      ({ fault, left }) => left > 0 && (fault.server ?? server) === server && fault.on.test(`${method} ${path}`),
    );
    if (entry !== undefined) entry.left -= 1;
    return entry?.fault;
  }
}

async function send(response: ServerResponse, method: string, answer: V1Answer): Promise<void> {
  const { status, headers, body, isChunked = false, cutAfter } = answer;
  // The length of the whole body, so that a part of it is seen to be one.
  const length = isChunked || "content-length" in headers ? {} : { "content-length": String(body.length) };
  response.writeHead(status, { ...length, ...headers });
  if (method === "HEAD") return void response.end();
  if (cutAfter === undefined) return void response.end(body);
  response.flushHeaders();
  await new Promise<void>(resolve => response.write(body.subarray(0, cutAfter), () => resolve()));
  response.socket?.destroySoon();
}
