// A registry that keeps what arrived of an upload whose request broke off, as zot does; or forgets all of it, as
// distribution does. It can go away in the middle of a body, and come back.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { MemoryRegistry, sha256 } from "./memory-registry.ts";

export interface KeepingOptions {
  /** Session URLs name the bytes that they are good for, and a request that broke off ends the session. */
  readonly isDistribution?: boolean;
}

export interface SeenUpload {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  /** Body bytes that arrived. */
  bytes: number;
}

export class KeepingRegistry {
  readonly content: MemoryRegistry = new MemoryRegistry();
  readonly requests: SeenUpload[] = [];
  /** Answers requests of this form so. */
  refusal: { readonly on: RegExp; readonly status: number } | undefined;
  readonly #sessions = new Map<string, Buffer[]>();
  readonly #options: KeepingOptions;
  #count = 0;
  #isAway = false;
  #left = Number.POSITIVE_INFINITY;
  #onReached: () => void = () => undefined;
  #port = 0;

  private constructor(options: KeepingOptions) {
    this.#options = options;
  }

  static async start(options: KeepingOptions = {}): Promise<KeepingRegistry> {
    const registry = new KeepingRegistry(options);
    const server = createServer((request, response) => {
      registry.#answer(request, response).catch(() => response.destroy());
    });
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    registry.#port = (server.address() as AddressInfo).port;
    onTestFinished(async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    });
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** After so many bytes of uploads all connections are reset, until `comeBack`. */
  leaveAfter(bytes: number): void {
    this.#left = bytes;
    this.#onReached = () => {
      this.#isAway = true;
    };
  }

  /** Calls back once so many bytes of uploads have come. */
  callAfter(bytes: number, onReached: () => void): void {
    this.#left = bytes;
    this.#onReached = onReached;
  }

  /** As if what came behind that byte of every upload had not. */
  forgetBehind(bytes: number): void {
    for (const parts of this.#sessions.values()) {
      const whole = Buffer.concat(parts);
      parts.splice(0, parts.length, whole.subarray(0, bytes));
    }
  }

  comeBack(): void {
    this.#isAway = false;
    this.#left = Number.POSITIVE_INFINITY;
    this.requests.length = 0;
  }

  seen(pattern: RegExp): readonly SeenUpload[] {
    return this.requests.filter(({ method, path }) => pattern.test(`${method} ${path}`));
  }

  /** Bytes that PATCH and PUT requests of uploads have brought. */
  get uploadedBytes(): number {
    return this.seen(/^(PATCH|PUT) .*\/uploads\//).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get openSessions(): number {
    return this.#sessions.size;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    if (this.#isAway) return void request.socket.resetAndDestroy();
    const range = headers["content-range"];
    const seen: SeenUpload = { method, path: url, range, bytes: 0 };
    this.requests.push(seen);
    if (this.refusal?.on.test(`${method} ${url}`)) return void response.writeHead(this.refusal.status).end();
    const [, repository, id] = /^\/v2\/(.+)\/blobs\/uploads\/([^?]*)/.exec(url) ?? [];
    if (repository !== undefined && id !== undefined) {
      const status = await this.#upload(request, seen, repository, id);
      if (status !== undefined) response.writeHead(status[0], status[1]).end();
      else request.socket.resetAndDestroy();
      return;
    }
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const reply = this.content.answer(method, url, headers, Buffer.concat(parts));
    const length = { "content-length": String(reply.body.length) };
    response.writeHead(reply.status, { ...length, ...reply.headers });
    response.end(method === "HEAD" ? undefined : reply.body);
  }

  async #upload(
    request: IncomingMessage,
    seen: SeenUpload,
    repository: string,
    id: string,
  ): Promise<[number, Record<string, string>] | undefined> {
    const { searchParams } = new URL(seen.path, "http://registry/");
    const headersOf = (session: string): Record<string, string> => {
      const size = this.#sizeOf(session);
      const state = this.#options.isDistribution === true ? `?_state=${size}` : "";
      return {
        location: `/v2/${repository}/blobs/uploads/${session}${state}`,
        range: `0-${Math.max(0, size - 1)}`,
        "content-length": "0",
      };
    };
    if (seen.method === "POST") {
      this.#count += 1;
      const session = `secret-session-${this.#count}`;
      this.#sessions.set(session, []);
      return [202, headersOf(session)];
    }
    const parts = this.#sessions.get(id);
    const state = searchParams.get("_state") ?? "0";
    if (parts === undefined || (this.#options.isDistribution === true && Number(state) !== this.#sizeOf(id))) {
      this.#sessions.delete(id);
      return [404, {}];
    }
    if (seen.method === "GET") return [204, headersOf(id)];
    if (seen.method === "DELETE") {
      this.#sessions.delete(id);
      return [204, {}];
    }
    const start = /^(\d+)-/.exec(seen.range ?? "")?.[1];
    if (start !== undefined && Number(start) !== this.#sizeOf(id)) return [416, headersOf(id)];
    if (!(await this.#take(request, seen, parts))) return undefined;
    if (seen.method === "PATCH") return [202, headersOf(id)];
    const bytes = Buffer.concat(parts);
    this.#sessions.delete(id);
    if (sha256(bytes) !== searchParams.get("digest")) return [400, {}];
    return [201, { "docker-content-digest": this.content.addBlob(bytes) }];
  }

  /** @returns false when it does not come to its end. */
  async #take(request: IncomingMessage, seen: SeenUpload, parts: Buffer[]): Promise<boolean> {
    try {
      for await (const data of request as AsyncIterable<Buffer>) {
        const isReached = data.length >= this.#left;
        if (isReached) this.#onReached();
        const part = this.#isAway ? data.subarray(0, this.#left) : data;
        this.#left = isReached ? Number.POSITIVE_INFINITY : this.#left - part.length;
        parts.push(part);
        seen.bytes += part.length;
        if (this.#isAway) return false;
      }
      return true;
    } catch {
      return false;
    }
  }

  #sizeOf(id: string): number {
    return (this.#sessions.get(id) ?? []).reduce((sum, { length }) => sum + length, 0);
  }
}
