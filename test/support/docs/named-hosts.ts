// Host names for tests: a proxy that leads each of them to a registry on this machine, with TLS and without.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext } from "node:tls";

export interface NamedHost {
  /** `http://127.0.0.1:PORT` of the registry. */
  readonly url: string;
  readonly cert: string;
  readonly key: string;
  /** Answers every request with this, in place of the registry. */
  readonly answer?: { readonly status: number; readonly type: string; readonly body: string };
}

export interface NamedHosts {
  /** The proxy: names are led to their registries, and all others get status 502. */
  readonly url: string;
  /** Names that were asked for and are not there. */
  readonly unknown: ReadonlySet<string>;
  close(): Promise<void>;
}

/** @param hosts by `NAME[:PORT]`, as in references */
export async function startNamedHosts(hosts: ReadonlyMap<string, NamedHost>): Promise<NamedHosts> {
  const unknown = new Set<string>();
  const sockets = new Set<Duplex>();
  const find = (authority: string, port: string): NamedHost | undefined => {
    const host = hosts.get(authority) ?? hosts.get(authority.replace(new RegExp(`:${port}$`), ""));
    if (host === undefined) unknown.add(authority);
    return host;
  };
  const forward = (host: NamedHost | undefined, request: IncomingMessage, response: ServerResponse): void => {
    if (host === undefined) {
      response.writeHead(502, { "content-length": "0" }).end();
      return;
    }
    if (host.answer !== undefined) {
      const { status, type, body } = host.answer;
      response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
      return;
    }
    const { hostname, port } = new URL(host.url);
    const path = (request.url ?? "").replace(/^http:\/\/[^/]+/, "");
    const headers = { ...request.headers, host: `${hostname}:${port}` };
    const inner = httpRequest({ hostname, port, path, method: request.method, headers }, answer => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    inner.once("error", () => response.destroy());
    request.pipe(inner);
  };

  const contexts = new Map<string, SecureContext>();
  for (const [name, { cert, key }] of hosts)
    contexts.set(name.replace(/:\d+$/, ""), createSecureContext({ cert, key }));
  const [first] = hosts.values();
  const secure = createTlsServer(
    {
      ...(first === undefined ? {} : { cert: first.cert, key: first.key }),
      SNICallback: (name, onContext) => onContext(null, contexts.get(name)),
    },
    (request, response) => forward(find(request.headers.host ?? "", "443"), request, response),
  );
  const proxy = createServer((request, response) =>
    forward(find(new URL(request.url ?? "").host, "80"), request, response),
  );
  proxy.on("connect", (request, socket: Duplex) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    if (find(request.url ?? "", "443") === undefined) {
      socket.end("HTTP/1.1 502 No such host\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    secure.emit("connection", socket);
  });
  await new Promise<void>(resolve => proxy.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    unknown,
    async close() {
      for (const socket of sockets) socket.destroy();
      proxy.closeAllConnections();
      await new Promise(resolve => proxy.close(resolve));
    },
  };
}
