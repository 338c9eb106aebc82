import { describe, expect, onTestFinished, test, vi } from "vitest";
import { NetworkError } from "../../../../src/errors.ts";
import { Transport, type TransportResponse } from "../../../../src/registry/transport/transport.ts";
import { deferred } from "../../../../src/util/promises.ts";
import { turns } from "../../../support/memory-blobs.ts";
import { answering, rawServer } from "../http/raw-server.ts";

vi.mock("node:dns", async original => {
  const addresses: Readonly<Record<string, readonly string[]>> = {
    "registry.lan": ["10.1.2.3"],
    "both.example": ["10.1.2.3", "93.184.216.34"],
    "public.example": ["93.184.216.34"],
    "inside.example": ["10.9.9.9"],
    "here.example": ["127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "rebound.example": ["93.184.216.34", "10.9.9.9"],
    "mapped.example": ["::ffff:127.0.0.1"],
  };
  const lookup = (host: string, _options: object, done: (error: null, found: object[]) => void): void => {
    const found = addresses[host];
    // The rest of the world never answers.
    if (found !== undefined) {
      done(
        null,
        found.map(address => ({ address, family: 4 })),
      );
    }
  };
  return { ...(await original<typeof import("node:dns")>()), lookup };
});

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: sid=1\r\n\r\nhello";

function transportTo(url: URL): Transport {
  const transport = new Transport(url);
  onTestFinished(async () => await transport[Symbol.asyncDispose]());
  return transport;
}

async function textOf({ body }: TransportResponse): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe("Transport", () => {
  test("Transport hands back a redirect, an encoding and a cookie as they came, and sends no cookie", async () => {
    const heads: string[] = [];
    const { url } = await rawServer(socket => {
      socket.on("data", data => {
        heads.push(data.toString());
        socket.write(
          "HTTP/1.1 307 Go\r\nLocation: /b\r\nContent-Encoding: gzip\r\nSet-Cookie: s=1\r\nContent-Length: 3\r\n\r\nabc",
        );
      });
    });
    const transport = transportTo(url);
    for (let round = 0; round < 2; round += 1) {
      const response = await transport.send({
        method: "GET",
        url: new URL("/a?x=%2F", url),
        headers: { "x-own": "1" },
      });
      expect(response.status).toBe(307);
      expect(await textOf(response)).toBe("abc");
    }
    expect(heads[1]).toMatch(/^GET \/a\?x=%2F HTTP\/1\.1\r\n/);
    expect(heads[1]).toMatch(/x-own: 1/i);
    expect(heads.join("")).not.toMatch(/cookie|accept-encoding/i);
    expect(transport.requests).toBe(2);
  });

  test("Transport uses one connection for requests one after the other, dumped or read", async () => {
    const server = await rawServer(answering(OK));
    const transport = transportTo(server.url);
    for (let round = 0; round < 3; round += 1) {
      const response = await transport.send({ method: "GET", url: server.url, headers: {} });
      if (round === 1) await response.body.dump();
      else expect(await textOf(response)).toBe("hello");
    }
    expect(server.sockets).toHaveLength(1);
  });

  test("Transport drops the connection of a body that is too long to dump", async () => {
    const server = await rawServer(socket => {
      socket.on("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${10 ** 9}\r\n\r\n`);
        socket.write(Buffer.alloc(1_000_000));
      });
    });
    const closed = deferred<void>();
    const transport = transportTo(server.url);
    const response = await transport.send({ method: "GET", url: server.url, headers: {} });
    server.sockets[0]?.on("close", () => closed.resolve());
    await response.body.dump();
    await closed.promise;
  });

  test("Transport never uses a connection again whose request was answered before its end", async () => {
    const server = await rawServer((socket, connection) => {
      if (connection > 1) answering(OK)(socket);
      else socket.once("data", () => socket.write("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno"));
    });
    const transport = transportTo(server.url);
    const isRead = deferred<void>();
    const isOver = deferred<void>();
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        yield Buffer.alloc(100_000);
        await isRead.promise;
        yield Buffer.alloc(100_000);
      } finally {
        isOver.resolve();
      }
    }
    // More than is read whole before it is sent.
    const headers = { "content-length": "300000" };
    const refused = await transport.send({ method: "PUT", url: server.url, headers, body: body() });
    expect(await textOf(refused)).toBe("no");
    isRead.resolve();
    await isOver.promise;
    await new Promise(resolve => setImmediate(resolve));
    const next = await transport.send({ method: "GET", url: server.url, headers: {} });
    expect(await textOf(next)).toBe("hello");
    expect(server.sockets).toHaveLength(2);
  });

  test("Transport sends parts whose memory is used again at once", async () => {
    const received = deferred<Buffer>();
    const { url } = await rawServer(socket => {
      const parts: Buffer[] = [];
      socket.pause();
      setImmediate(() => socket.resume());
      socket.on("data", part => {
        parts.push(part);
        const all = Buffer.concat(parts);
        if (!all.includes("\r\n0\r\n\r\n")) return;
        received.resolve(all);
        socket.write(OK);
      });
    });
    const memory = Buffer.alloc(40_000);
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let round = 0; round < 60; round += 1) {
        memory.fill(round + 1);
        yield memory;
      }
      memory.fill(0);
    }
    const response = await transportTo(url).send({ method: "PATCH", url, headers: {}, body: body() });
    await response.body.dump();
    const all = await received.promise;
    for (let round = 0; round < 60; round += 1) expect(all.includes(Buffer.alloc(40_000, round + 1))).toBe(true);
  });

  test("Transport passes on the error of a body, and ends it", async () => {
    const { url } = await rawServer(() => undefined);
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(10);
      throw new RangeError("source failed");
    }
    await expect(transportTo(url).send({ method: "PUT", url, headers: {}, body: body() })).rejects.toThrow(
      "source failed",
    );
  });

  test.each(["before the answer", "inside the body"])("Transport stops %s when it is aborted", async where => {
    const came = deferred<void>();
    const { url } = await rawServer(socket => {
      socket.once("data", () => {
        if (where === "inside the body") socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
        came.resolve();
      });
    });
    const stop = new AbortController();
    const sending = transportTo(url).send({ method: "GET", url, headers: {}, signal: stop.signal }).then(textOf);
    const outcome = expect(sending).rejects.toThrow();
    await came.promise;
    stop.abort();
    await outcome;
  });

  test("Transport waits half a minute for a connection", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const url = new URL("http://silent.lan/");
      const sending = transportTo(url).send({ method: "GET", url, headers: {} });
      const outcome = expect(sending).rejects.toMatchObject({ code: "ETIMEDOUT", syscall: "connect" });
      while (vi.getTimerCount() === 0) await turns(1);
      await vi.advanceTimersByTimeAsync(30_000);
      await outcome;
    } finally {
      vi.useRealTimers();
    }
  });

  test("Transport lets go of everything when it is disposed", async () => {
    const closed = deferred<void>();
    const { url } = await rawServer(socket => {
      answering(OK)(socket);
      socket.on("close", () => closed.resolve());
    });
    const transport = new Transport(url);
    await (await transport.send({ method: "GET", url, headers: {} })).body.dump();
    await transport[Symbol.asyncDispose]();
    await closed.promise;
  });

  test.each([
    ["http://10.0.0.1/", undefined, true],
    ["http://127.0.0.1/", undefined, true],
    ["http://93.184.216.34/", undefined, false],
    ["http://unknown.example/", undefined, false],
    ["http://registry.lan/", "registry.lan", true],
    ["http://public.example/", "public.example", false],
    // One address outside is enough: the connection may have gone there.
    ["http://both.example/", "both.example", false],
  ])("Transport knows whether %s lies inside, once it has connected", async (url, host, isInside) => {
    const transport = transportTo(new URL("http://registry.lan/"));
    if (host !== undefined) {
      expect(transport.isInside(new URL(url))).toBe(false);
      await new Promise<void>(resolve => transport.lookup(host, { all: true }, () => resolve()));
    }
    expect(transport.isInside(new URL(url))).toBe(isInside);
  });
});

describe("A-03 and A-04 names that a registry leads to are checked where they are resolved (CVE-2026-33540)", () => {
  /** What `lookup` says of a host when the registry has been connected to. */
  async function lookedUp(home: string, host: string): Promise<Error | null> {
    const transport = transportTo(new URL(`http://${home}/`));
    const ask = async (name: string): Promise<Error | null> =>
      await new Promise(resolve => transport.lookup(name, { all: true }, error => resolve(error)));
    await ask(home);
    return await ask(host);
  }

  test.each([
    ["public.example", "inside.example", "a private address"],
    ["public.example", "here.example", "an address of this machine"],
    ["public.example", "mapped.example", "an address of this machine"],
    ["public.example", "metadata.example", "a link-local or reserved address"],
    ["public.example", "rebound.example", "a private address"],
    ["both.example", "inside.example", "a private address"],
    ["registry.lan", "here.example", "an address of this machine"],
    ["registry.lan", "metadata.example", "a link-local or reserved address"],
    ["here.example", "metadata.example", "a link-local or reserved address"],
  ])("A-04 %s may not lead to %s: %s", async (home, host, found) => {
    const error = await lookedUp(home, host);
    expect(error).toBeInstanceOf(NetworkError);
    expect(error?.message).toBe(`Cannot connect to ${host}: ${found}, expected one that ${home} may lead to`);
  });

  test.each([
    ["public.example", "public.example"],
    ["registry.lan", "registry.lan"],
    ["metadata.example", "metadata.example"],
    ["registry.lan", "inside.example"],
    ["registry.lan", "public.example"],
    ["here.example", "inside.example"],
    ["here.example", "mapped.example"],
  ])("A-04 %s may lead to %s", async (home, host) => {
    expect(await lookedUp(home, host)).toBeNull();
  });

  test("A-04 an address is checked before anything is sent to it, whoever followed the redirect", async () => {
    const server = await rawServer(answering(OK));
    const transport = transportTo(new URL("http://registry.lan/"));
    await new Promise<void>(resolve => transport.lookup("registry.lan", { all: true }, () => resolve()));
    await expect(transport.send({ method: "GET", url: server.url, headers: {} })).rejects.toThrow(
      "Cannot connect to 127.0.0.1: an address of this machine, expected one that registry.lan may lead to",
    );
    await expect(transport.isDirect(server.url)).resolves.toBe(false);
    expect(server.sockets).toHaveLength(0);
  });
});
