// A registry in memory that answers rightly, except where a table says otherwise. It records every request.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { joined, MemoryRegistry, type Reply } from "./memory-registry.ts";

export interface SeenRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** What had come when the request was answered. */
  body: Buffer;
  /** Numbers the connections. */
  readonly connection: number;
}

/** How one request is answered instead. */
export interface Fault {
  /** Method and path, for example /^GET .*\/blobs\//. */
  readonly on: RegExp;
  readonly when?: (request: SeenRequest) => boolean;
  /** How often; once without it. */
  readonly times?: number;
  /** Answers with this. */
  readonly reply?: Partial<Reply>;
  /** Changes the right answer. */
  readonly change?: (reply: Reply, request: SeenRequest) => Partial<Reply>;
  /** Does not read the request's body first. */
  readonly early?: boolean;
  /** Acts on what is right, then answers as told: the client does not learn of it. */
  readonly hidden?: boolean;
  /** Resets the connection: before any answer, or after that many body bytes. */
  readonly cut?: "before" | number;
  /** Sends that many body bytes, then nothing until the promise settles. */
  readonly stall?: { readonly after: number; readonly until: Promise<void> };
  /** Is answered when this has settled. */
  readonly held?: Promise<void>;
  /** Runs when the request has come. */
  readonly onRequest?: () => void;
}

export interface ScriptOptions {
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly faults?: readonly Fault[];
  /** Demands this user: by Basic, or by tokens from its own token server. */
  readonly auth?: { readonly scheme: "basic" | "bearer"; readonly user: string; readonly password: string };
}

export class ScriptedRegistry {
  readonly requests: SeenRequest[] = [];
  readonly content: MemoryRegistry = new MemoryRegistry();
  /** Tokens that count; clear it and all of them have run out. */
  readonly tokens: Set<string> = new Set();
  readonly #issued = new Set<string>();
  readonly #faults: { readonly fault: Fault; left: number }[];
  readonly #options: ScriptOptions;
  readonly #connections = new Map<Socket, number>();
  readonly #server: Server;
  #port = 0;

  private constructor(options: ScriptOptions) {
    this.#options = options;
    this.#faults = (options.faults ?? []).map(fault => ({ fault, left: fault.times ?? 1 }));
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.#answer(request, response).catch(() => response.destroy());
    };
    this.#server = options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  }

  /** Runs until the end of the test. */
  static async start(options: ScriptOptions = {}): Promise<ScriptedRegistry> {
    const registry = new ScriptedRegistry(options);
    await new Promise<void>(resolve => registry.#server.listen(0, "127.0.0.1", resolve));
    registry.#port = (registry.#server.address() as AddressInfo).port;
    onTestFinished(async () => await registry.close());
    return registry;
  }

  /** `127.0.0.1:port` */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://${this.host}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  /** As a server does with connections that are idle for long. */
  closeConnections(): void {
    this.#server.closeAllConnections();
  }

  /** Refuses connections, as while it restarts. It comes back with `resume`. */
  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Listens on the same port again. @param forgets what it had of unfinished uploads */
  resume(forgets: "uploads" | "nothing" = "uploads"): void {
    if (forgets === "uploads") this.content.dropUploads();
    this.#server.listen(this.#port, "127.0.0.1");
  }

  addFault(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  /** Requests that match, as `METHOD path`. */
  seen(pattern: RegExp): readonly SeenRequest[] {
    return this.requests.filter(({ method, path }) => pattern.test(`${method} ${path}`));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers, socket } = request;
    const connection = this.#connections.get(socket) ?? this.#connections.size + 1;
    this.#connections.set(socket, connection);
    const seen: SeenRequest = { method, path: url, headers, body: Buffer.alloc(0), connection };
    this.requests.push(seen);
    const fault = this.#faultFor(seen);
    fault?.onRequest?.();
    if (fault?.cut === "before") {
      socket.resetAndDestroy();
      return;
    }
    if (fault?.early !== true) seen.body = await readAll(request);
    await fault?.held;
    const right = (): Reply => this.#authorize(seen) ?? this.content.answer(method, url, headers, seen.body);
    let reply: Reply;
    if (fault?.reply !== undefined) {
      if (fault.hidden === true) right();
      reply = { status: 500, headers: {}, body: Buffer.alloc(0), ...fault.reply };
    } else {
      reply = right();
      if (fault?.change !== undefined) reply = { ...reply, ...fault.change(reply, seen) };
    }
    await send(response, method, reply, fault);
  }

  #faultFor(request: SeenRequest): Fault | undefined {
    const line = `${request.method} ${request.path}`;
    const entry = this.#faults.find(
      ({ fault, left }) => left > 0 && fault.on.test(line) && (fault.when?.(request) ?? true),
    );
    if (entry !== undefined) entry.left -= 1;
    return entry?.fault;
  }

  #authorize({ path, headers }: SeenRequest): Reply | undefined {
    const { auth } = this.#options;
    if (auth === undefined) return undefined;
    const basic = `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString("base64")}`;
    const isBasic = headers.authorization === basic;
    if (path.startsWith("/token")) {
      if (!isBasic) return json(401, { errors: [{ code: "UNAUTHORIZED", message: "wrong password" }] });
      const token = `token-${this.#issued.size + 1}-of-${this.requests.length}`;
      this.tokens.add(token);
      this.#issued.add(token);
      return json(200, { token, expires_in: 300 });
    }
    const isAllowed =
      auth.scheme === "basic" ? isBasic : this.tokens.has(headers.authorization?.replace("Bearer ", "") ?? "");
    if (isAllowed) return undefined;
    const challenge =
      auth.scheme === "basic"
        ? 'Basic realm="test"'
        : `Bearer realm="${this.url}/token",service="test"${this.#issued.has(headers.authorization?.replace("Bearer ", "") ?? "") ? ',error="invalid_token"' : ""}`;
    const refusal = json(401, { errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] });
    return { ...refusal, headers: { ...refusal.headers, "www-authenticate": challenge } };
  }
}

export function json(status: number, value: unknown): Reply {
  return { status, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(value)) };
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return joined(parts);
}

async function send(response: ServerResponse, method: string, reply: Reply, fault: Fault | undefined): Promise<void> {
  const { status, headers, body } = reply;
  const isChunked = "transfer-encoding" in headers;
  const length = isChunked || "content-length" in headers ? {} : { "content-length": String(body.length) };
  response.writeHead(status, { ...length, ...headers });
  if (method === "HEAD") {
    response.end();
    return;
  }
  if (typeof fault?.cut === "number") {
    await write(response, body.subarray(0, fault.cut));
    // What has been written should arrive before the reset does.
    response.socket?.end();
    response.socket?.destroySoon();
    return;
  }
  if (fault?.stall !== undefined) {
    await write(response, body.subarray(0, fault.stall.after));
    await fault.stall.until;
    response.end(body.subarray(fault.stall.after));
    return;
  }
  response.end(body);
}

async function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  response.flushHeaders();
  if (bytes.length > 0) await new Promise<void>(resolve => response.write(bytes, () => resolve()));
}
