// Servers that lie, leave, or say two things at once, against connections of short requests.
import { createServer, type LookupFunction, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { readBody } from "../../../../src/registry/http/read-body.ts";
import type { TransportOptions } from "../../../../src/registry/http/tls-options.ts";
import { TlsSessions } from "../../../../src/registry/origin/tls-sessions.ts";
import { ShortConnections } from "../../../../src/registry/transport/short-connections.ts";
import {
  Transport,
  type TransportRequest,
  type TransportResponse,
} from "../../../../src/registry/transport/transport.ts";
import { deferred } from "../../../../src/util/promises.ts";
import { TEST_TLS } from "../../../support/test-tls.ts";
import { answering, rawServer } from "../http/raw-server.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const LAST = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

type Send = (request?: Partial<TransportRequest>) => Promise<string>;

function transportTo(url: URL, options?: TransportOptions): Send {
  const transport = new Transport(url, options);
  onTestFinished(async () => await transport[Symbol.asyncDispose]());
  return async request => {
    const { body } = await transport.send({ method: "GET", url, headers: {}, ...request });
    return await textOf(body);
  };
}

async function textOf(body: TransportResponse["body"]): Promise<string> {
  const { bytes, failure } = await readBody(body, 10 ** 7);
  if (failure !== undefined) throw failure.cause;
  return Buffer.from(bytes).toString();
}

const untilClosed = async (socket: Socket | undefined): Promise<void> => {
  await new Promise<void>(resolve => (socket?.closed === true ? resolve() : socket?.once("close", () => resolve())));
};

describe("a connection that is idle", () => {
  test("is not used again when the server has ended its half", async () => {
    const server = await rawServer(answering(OK));
    const send = transportTo(server.url);
    await send();
    server.sockets[0]?.end();
    await untilClosed(server.sockets[0]);
    expect(await send({ method: "POST", body: Buffer.from("once") })).toBe("ok");
    expect(server.sockets).toHaveLength(2);
  });

  test("is not used again when bytes come that nobody asked for", async () => {
    const server = await rawServer(answering(OK));
    const send = transportTo(server.url);
    await send();
    server.sockets[0]?.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    await untilClosed(server.sockets[0]);
    expect(await send()).toBe("ok");
    expect(server.sockets).toHaveLength(2);
  });

  test("is not used again after the time that the server has named", async () => {
    const none = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok";
    const server = await rawServer(answering(none));
    const send = transportTo(server.url);
    await send();
    await send();
    expect(server.sockets).toHaveLength(2);
  });
});

describe("a request on a connection that breaks", () => {
  test("is sent once more on a new one, although others are idle", async () => {
    const both = deferred<void>();
    let requests = 0;
    const server = await rawServer((socket, connection) => {
      let count = 0;
      socket.on("data", () => {
        count += 1;
        requests += 1;
        if (connection > 2 || count > 1) {
          if (connection <= 2) socket.destroy();
          else socket.write(OK);
        } else if (requests === 2) both.resolve();
        if (connection <= 2 && count === 1) void both.promise.then(() => socket.write(OK));
      });
    });
    const send = transportTo(server.url);
    await Promise.all([send(), send()]);
    expect(await send({ method: "PUT", body: Buffer.from("a body") })).toBe("ok");
    expect([requests, server.sockets.length]).toEqual([4, 3]);
  });

  test.each([
    ["some of a head", "HTTP/1.1 201 Cre"],
    ["an interim answer", "HTTP/1.1 102 Processing\r\n\r\n"],
  ])("is not sent again after %s: the server may have done it", async (_name, begin) => {
    let requests = 0;
    const server = await rawServer(socket => {
      socket.on("data", () => {
        requests += 1;
        if (requests === 1) socket.write(OK);
        else socket.end(begin);
      });
    });
    const send = transportTo(server.url);
    await send();
    await expect(send({ method: "POST", body: Buffer.from("once") })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(requests).toBe(2);
  });

  test("fails at once on the first one, and is not sent again", async () => {
    const server = await rawServer(socket => void socket.once("data", () => socket.destroy()));
    const send = transportTo(server.url);
    await expect(send({ method: "POST", body: Buffer.from("once") })).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(server.sockets).toHaveLength(1);
  });
});

test("a refusal that comes before the body has been read is the answer, and the connection ends", async () => {
  const refusal = "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno!";
  const server = await rawServer(socket => {
    socket.pause();
    socket.write(refusal);
  });
  const send = transportTo(server.url);
  expect(await send({ method: "PUT", body: Buffer.alloc(60_000) })).toBe("no!");
  await send();
  expect(server.sockets).toHaveLength(2);
});

test("a body in chunks of one byte costs what its bytes cost", async () => {
  const chunks = "1\r\nx\r\n".repeat(300_000);
  const server = await rawServer(answering(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`));
  const { concat } = Buffer;
  let copied = 0;
  Buffer.concat = (list, length) => {
    const whole = concat(list, length);
    copied += whole.length;
    return whole;
  };
  onTestFinished(() => {
    Buffer.concat = concat;
  });
  expect((await transportTo(server.url)()).length).toBe(300_000);
  expect(copied).toBeLessThan(8 * chunks.length);
});

test("an address that refuses is passed over for the next one", async () => {
  const server = await rawServer(answering(OK));
  const both: LookupFunction = (_name, _options, found) =>
    found(null, [
      { address: "127.0.0.77", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ]);
  const connections = new ShortConnections(both);
  onTestFinished(() => connections.destroy());
  const url = new URL(`http://registry.lan:${server.url.port}/`);
  const { body } = await connections.send({ method: "GET", url, headers: {} }, {});
  expect(await textOf(body)).toBe("ok");
});

test("an IPv6 address is a host", async context => {
  const server = createServer(answering(OK));
  const port = await new Promise<number>(resolve => {
    server.once("error", () => resolve(0));
    server.listen(0, "::1", () => resolve((server.address() as { port: number }).port));
  });
  if (port === 0) return context.skip("no IPv6 on this machine");
  const send = transportTo(new URL(`http://[::1]:${port}/`));
  onTestFinished(() => void server.close());
  expect(await send()).toBe("ok");
});

describe("TLS", () => {
  test("a connection resumes the session of the one before, and speaks HTTP/1.1", async () => {
    const server = createTlsServer({ ...TEST_TLS, ALPNProtocols: ["h2", "http/1.1"] });
    const made: unknown[] = [];
    server.on("secureConnection", socket => {
      made.push([socket.isSessionReused(), socket.alpnProtocol]);
      answering(LAST)(socket);
      socket.on("error", () => undefined);
    });
    const send = transportTo(await secureUrl(server, "127.0.0.1"), { ca: TEST_TLS.cert });
    for (let count = 0; count < 3; count += 1) expect(await send()).toBe("ok");
    const protocol = "http/1.1";
    expect(made).toEqual([false, true, true].map(isResumed => [isResumed, protocol]));
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "a session of a wrong certificate is never resumed (%s)",
    async version => {
      const server = createTlsServer({ ...TEST_TLS, minVersion: version, maxVersion: version }, answering(OK));
      server.on("tlsClientError", () => undefined);
      const url = await secureUrl(server, "registry.lan");
      const connections = new ShortConnections(
        (_name, _options, found) => found(null, [{ address: "127.0.0.1", family: 4 }]),
        new TlsSessions(),
      );
      onTestFinished(() => connections.destroy());
      for (let count = 0; count < 3; count += 1) {
        const sent = connections.send({ method: "GET", url, headers: {} }, { ca: TEST_TLS.cert });
        await expect(sent).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
      }
    },
  );

  test("a server without TLS is an error, not an answer", async () => {
    const server = await rawServer(socket => void socket.once("data", () => socket.end(OK)));
    const url = new URL(`https://127.0.0.1:${server.url.port}/`);
    await expect(transportTo(url, { insecure: true })()).rejects.toThrow(/packet length|wrong version/);
  });
});

async function secureUrl(server: ReturnType<typeof createTlsServer>, host: string): Promise<URL> {
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return new URL(`https://${host}:${(server.address() as { port: number }).port}/`);
}
