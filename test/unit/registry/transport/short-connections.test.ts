// Connections of short requests: how many there are, and when one is used again.
import { describe, expect, onTestFinished, test } from "vitest";
import { readBody } from "../../../../src/registry/http/read-body.ts";
import { requestHead } from "../../../../src/registry/transport/request-head.ts";
import { Transport, type TransportRequest } from "../../../../src/registry/transport/transport.ts";
import { deferred } from "../../../../src/util/promises.ts";
import { answering, rawServer } from "../http/raw-server.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function transportTo(url: URL): (request?: Partial<TransportRequest>) => Promise<string> {
  const transport = new Transport(url);
  onTestFinished(async () => await transport[Symbol.asyncDispose]());
  return async request => {
    const { body } = await transport.send({ method: "GET", url, headers: {}, ...request });
    const { bytes, failure } = await readBody(body, 10 ** 6);
    if (failure !== undefined) throw failure.cause;
    return Buffer.from(bytes).toString();
  };
}

describe("ShortConnections", () => {
  test("one connection carries request after request, and each of two at once has its own", async () => {
    const server = await rawServer(answering(OK));
    const send = transportTo(server.url);
    for (let count = 0; count < 5; count += 1) expect(await send()).toBe("ok");
    expect(server.sockets).toHaveLength(1);
    expect(await Promise.all([send(), send()])).toEqual(["ok", "ok"]);
    expect(server.sockets).toHaveLength(2);
  });

  test("a short body in parts goes over the same connection, in one piece, as its length says", async () => {
    const bodies: string[] = [];
    const server = await rawServer(socket => {
      socket.on("data", data => {
        bodies.push(data.toString().split("\r\n\r\n")[1] ?? "");
        socket.write(OK);
      });
    });
    const shared = Buffer.alloc(2);
    async function* parts(): AsyncGenerator<Uint8Array> {
      for (const text of ["on", "e!"]) {
        shared.write(text);
        yield shared;
      }
    }
    const send = transportTo(server.url);
    const put = { method: "PUT", headers: { "content-length": "4" } } as const;
    await send();
    for (let count = 0; count < 3; count += 1) await send({ ...put, body: parts() });
    expect(bodies).toEqual(["", "one!", "one!", "one!"]);
    expect(server.sockets).toHaveLength(1);
  });

  test("a short body whose source fails sends nothing", async () => {
    const server = await rawServer(answering(OK));
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("on");
      throw new Error("the file is damaged");
    }
    const send = transportTo(server.url);
    const put = { method: "PUT", headers: { "content-length": "4" } } as const;
    await expect(send({ ...put, body: parts() })).rejects.toThrow("the file is damaged");
    expect(server.sockets).toHaveLength(0);
  });

  test("a connection that the server closed since is replaced, also for a POST", async () => {
    const server = await rawServer((socket, connection) => {
      let count = 0;
      socket.on("data", () => {
        count += 1;
        // The second request finds it closed.
        if (connection === 1 && count === 2) socket.destroy();
        else socket.write(OK);
      });
    });
    const send = transportTo(server.url);
    await send();
    expect(await send({ method: "POST", body: Buffer.from("a body") })).toBe("ok");
    expect(server.sockets).toHaveLength(2);
  });

  test("a connection is not used again after bytes that nobody asked for", async () => {
    const server = await rawServer(answering(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`));
    const send = transportTo(server.url);
    expect(await send()).toBe("ok");
    expect(await send()).toBe("ok");
    expect(server.sockets).toHaveLength(2);
  });

  test("an abort ends the request, and its connection", async () => {
    const came = deferred<void>();
    const closed = deferred<void>();
    const server = await rawServer(socket => {
      socket.once("data", () => came.resolve());
      socket.once("close", () => closed.resolve());
    });
    const send = transportTo(server.url);
    const stop = new AbortController();
    const outcome = expect(send({ signal: stop.signal })).rejects.toMatchObject({ code: "ABORT_ERR" });
    await came.promise;
    stop.abort(new Error("interrupted"));
    await outcome;
    await closed.promise;
  });

  test("a body that breaks off is an error of its reader, after what has come", async () => {
    const server = await rawServer(socket =>
      socket.once("data", () => socket.end("HTTP/1.1 500 Broken\r\nContent-Length: 9\r\n\r\nhalf")),
    );
    await expect(transportTo(server.url)()).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("a long body is read as fast as it is taken, and whole", async () => {
    const text = "x".repeat(900_000);
    const server = await rawServer(answering(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`));
    expect(await transportTo(server.url)()).toBe(text);
  });
});

describe("requestHead()", () => {
  const url = new URL("http://registry.lan:5000/v2/app/manifests/1?a=b");

  test("has the length of a body, also of none where servers expect one", () => {
    const head = (request: Partial<TransportRequest>): string =>
      requestHead({ method: "GET", url, headers: {}, ...request });
    expect(head({ headers: { accept: "a" } })).toBe(
      "GET /v2/app/manifests/1?a=b HTTP/1.1\r\nhost: registry.lan:5000\r\naccept: a\r\nconnection: keep-alive\r\n\r\n",
    );
    expect(head({ method: "POST" })).toContain("\r\ncontent-length: 0\r\n");
    expect(head({ method: "PUT", body: Buffer.from("four") })).toContain("\r\ncontent-length: 4\r\n");
    expect(head({ method: "POST", headers: { "Content-Length": "0" } })).not.toContain("content-length: 0");
  });

  test.each([
    ["a header with a line end", { "x-token": "a\r\nx: y" }],
    ["a header with NUL", { "x-token": "a\0" }],
    ["a name with a blank", { "x token": "a" }],
    ["a character beyond Latin-1", { "x-token": "\u{100}" }],
  ])("refuses %s", (_name, headers) => {
    expect(() => requestHead({ method: "GET", url, headers })).toThrow(TypeError);
  });
});
