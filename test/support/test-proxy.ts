// An HTTP proxy: CONNECT and whole URLs, with Basic if asked. It records what it is told.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface TestProxyOptions {
  /** `user:password` */
  readonly auth?: string;
  /** Answers every CONNECT with this status. */
  readonly refuse?: number;
}

export interface ProxiedRequest {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
}

export class TestProxy {
  readonly requests: ProxiedRequest[] = [];
  /** The first bytes that went through each tunnel. */
  readonly tunnelled: Buffer[] = [];
  readonly #options: TestProxyOptions;
  readonly #sockets = new Set<Duplex>();
  readonly #server = createServer((request, response) => this.#forward(request, response));

  private constructor(options: TestProxyOptions) {
    this.#options = options;
    this.#server.on("connect", (request, socket, head) => this.#tunnel(request, socket, head));
    this.#server.on("connection", (socket: Socket) => this.#keep(socket));
  }

  static async start(options: TestProxyOptions = {}): Promise<TestProxy> {
    const proxy = new TestProxy(options);
    await new Promise<void>(resolve => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #isAllowed({ method, url, headers }: IncomingMessage): boolean {
    this.requests.push({ line: `${method} ${url}`, headers });
    const { auth } = this.#options;
    const wanted = `Basic ${Buffer.from(auth ?? "").toString("base64")}`;
    return auth === undefined || headers["proxy-authorization"] === wanted;
  }

  /** Whatever the name, the server is on this machine: a proxy alone knows where names lie. */
  #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const status = this.#isAllowed(request) ? this.#options.refuse : 407;
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const port = Number(/:(\d+)$/.exec(request.url ?? "")?.[1]);
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      socket.once("data", (part: Buffer) => this.tunnelled.push(Buffer.from(part)));
      socket.pipe(upstream).pipe(socket);
    });
    this.#keep(upstream);
    upstream.once("error", () => socket.destroy());
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#isAllowed(request)) {
      response.writeHead(407, { "content-length": "0" }).end();
      return;
    }
    const url = new URL(request.url ?? "");
    const { "proxy-authorization": _, ...headers } = request.headers;
    const { method } = request;
    const options = { host: "127.0.0.1", port: url.port, path: `${url.pathname}${url.search}`, method, headers };
    const upstream = httpRequest(options, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.once("error", () => response.destroy());
    request.pipe(upstream);
  }
}
