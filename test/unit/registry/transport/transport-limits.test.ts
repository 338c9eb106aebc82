// Servers that keep a request busy without an answer. The clock is the test's; nothing waits.
import type { Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { networkError } from "../../../../src/registry/http/network-error.ts";
import { readBody } from "../../../../src/registry/http/read-body.ts";
import { BulkConnection } from "../../../../src/registry/transport/bulk-connection.ts";
import { Transport, type TransportRequest } from "../../../../src/registry/transport/transport.ts";
import { deferred } from "../../../../src/util/promises.ts";
import { turns } from "../../../support/memory-blobs.ts";
import { answering, type RawServer, rawServer } from "../http/raw-server.ts";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => vi.useRealTimers());

const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";

/** Time passes, and bytes on the loopback arrive. */
async function pass(seconds: number): Promise<void> {
  await turns(20);
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  await turns(20);
}

interface Scene {
  readonly server: RawServer;
  readonly socket: Promise<Socket>;
  send(request?: Partial<TransportRequest>): ReturnType<Transport["send"]>;
}

/** A server whose first request the test answers. */
async function scene(minRate?: number): Promise<Scene> {
  const came = deferred<Socket>();
  const server = await rawServer(socket => void socket.once("data", () => came.resolve(socket)));
  const transport = new Transport(server.url, { minRate });
  onTestFinished(async () => await transport[Symbol.asyncDispose]());
  const send: Scene["send"] = async request =>
    await transport.send({ method: "GET", url: server.url, headers: {}, ...request });
  return { server, socket: came.promise, send };
}

const outcomeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => "an answer",
    (error: unknown) => error,
  );

describe("Transport with a server that gives no answer", () => {
  test("a flood of interim answers ends the request", async () => {
    const { socket, send } = await scene();
    const outcome = outcomeOf(send());
    (await socket).write("HTTP/1.1 103 Early\r\n\r\n".repeat(300));
    expect(await outcome).toMatchObject({ code: "EINTERIM" });
  });

  test("interim answers do not extend the wait for the answer", async () => {
    const { socket, send } = await scene();
    const outcome = outcomeOf(send());
    const server = await socket;
    for (let round = 0; round < 4; round += 1) {
      server.write("HTTP/1.1 102 Busy\r\n\r\n");
      await pass(29);
    }
    await pass(5);
    expect(await outcome).toMatchObject({ code: "ETIMEDOUT" });
  });

  test("an answer that comes after an interim one, and after more than a minute, is taken", async () => {
    const { socket, send } = await scene();
    const outcome = outcomeOf(send());
    (await socket).write("HTTP/1.1 102 Busy\r\n\r\n");
    await pass(90);
    (await socket).write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    expect(await outcome).toBe("an answer");
  });

  test("headers that drip end the request after a minute", async () => {
    const { socket, send } = await scene();
    const outcome = outcomeOf(send());
    (await socket).write("HTTP/1.1 200 OK\r\n");
    for (let second = 0; second < 6; second += 1) {
      (await socket).write(`X-${second}: 1\r\n`);
      await pass(10.5);
    }
    expect(await outcome).toMatchObject({ code: "ETIMEDOUT" });
  });

  test("101 Switching Protocols is an error", async () => {
    const { socket, send } = await scene();
    const outcome = outcomeOf(send());
    (await socket).write("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    expect(await outcome).toMatchObject({ code: "EUPGRADE" });
  });

  test("a connection that is closed without an answer is an error", async () => {
    const { socket, send } = await scene();
    const outcome = outcomeOf(send());
    (await socket).end();
    expect(await outcome).toMatchObject({ code: "ECONNRESET" });
  });
});

test("a body that stalls has timed out, and was not reset", async () => {
  const server = await rawServer(answering(`${HEAD}x`));
  const transport = new Transport(server.url, { idleMs: 100 });
  onTestFinished(async () => await transport[Symbol.asyncDispose]());
  const read = async (): Promise<unknown> => {
    const { body } = await transport.send({ method: "GET", url: server.url, headers: {} });
    return (await readBody(body, 2_000_000)).failure?.cause;
  };
  const outcome = read().catch((error: unknown) => error);
  await pass(1);
  expect(await outcome).toMatchObject({ code: "ETIMEDOUT" });
});

describe("Transport with a body that drips", () => {
  async function drip(socket: Socket, part: string, seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 10) {
      socket.write(part);
      await pass(10);
    }
  }

  test("a large body below the minimum rate fails after two minutes", async () => {
    const { socket, send } = await scene();
    const sending = send();
    (await socket).write(HEAD);
    const outcome = readBody((await sending).body, 2_000_000, 10 ** 9);
    await drip(await socket, "x".repeat(5 * 1024), 130);
    expect((await outcome).failure?.cause).toMatchObject({ code: "ETOOSLOW" });
  });

  test("a large body above the minimum rate is taken, and so is any with the minimum rate 0", async () => {
    for (const [minRate, part] of [
      [undefined, "x".repeat(11 * 1024)],
      [0, "x"],
    ] as const) {
      const { socket, send } = await scene(minRate);
      const sending = send();
      (await socket).write(HEAD);
      let isOver = false;
      const outcome = readBody((await sending).body, 2_000_000, 10 ** 9).then(read => {
        isOver = true;
        return read;
      });
      await drip(await socket, part, 250);
      expect(isOver).toBe(false);
      (await socket).destroy();
      await outcome;
    }
  });

  test("a document that does not end fails after five minutes, also above the minimum rate", async () => {
    const { socket, send } = await scene(0);
    const sending = send();
    (await socket).write(HEAD);
    const outcome = readBody((await sending).body, 2_000_000);
    await drip(await socket, "x", 310);
    const error = networkError((await outcome).failure?.cause, "read", "tags", "registry.lan");
    expect(error.message).toBe(
      "Cannot read tags from registry.lan: a document without an end after 5 minutes, expected all of it within that time",
    );
    // That flag has no effect on documents.
    expect(error.hint).not.toContain("--min-rate");
  });

  test("a body that nobody wants is left after ten seconds", async () => {
    const { socket, send } = await scene();
    const sending = send();
    (await socket).write(HEAD);
    const closed = new Promise(resolve => void socket.then(raw => raw.once("close", resolve)));
    const dumped = (await sending).body.dump();
    await drip(await socket, "x", 20);
    await dumped;
    await closed;
  });

  test("a registry that does not take the bytes of an upload ends it after a few minutes", async () => {
    const came = deferred<void>();
    const server = await rawServer(socket => {
      socket.pause();
      came.resolve();
    });
    const transport = new Transport(server.url);
    onTestFinished(async () => await transport[Symbol.asyncDispose]());
    async function* body(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(64 * 1024);
    }
    const outcome = outcomeOf(transport.send({ method: "PATCH", url: server.url, headers: {}, body: body() }));
    await came.promise;
    for (let round = 0; round < 4; round += 1) {
      await turns(200);
      await pass(119);
    }
    expect(await outcome).toMatchObject({ code: "ETOOSLOW" });
  });
});

describe("BulkConnection with a server that drips", () => {
  test.each([
    ["headers", ["HTTP/1.1 200 OK\r\n", "X: 1\r\n"], "ETIMEDOUT"],
    ["nothing at all", [], "ETIMEDOUT"],
    ["a body", [HEAD, "x".repeat(1024)], "ETOOSLOW"],
  ])("BulkConnection ends a request that gets %s", async (_what, [first = "", part = ""], code) => {
    const { server, socket } = await scene();
    const connection = new BulkConnection(server.url, {});
    onTestFinished(() => connection.destroy());
    const outcome = outcomeOf(connection.get("/x", { host: "h" }, () => true, { take: () => undefined }));
    const raw = await socket;
    raw.write(first);
    for (let second = 0; second < 130; second += 10) {
      if (!raw.destroyed) raw.write(part);
      await pass(10);
    }
    expect(await outcome).toMatchObject({ code });
  });
});

describe("Transport with a server that answers before it has read the body", () => {
  test.each([
    ["a body in parts", 8],
    ["a body in one piece", 1],
  ])("the answer is read while the rest of %s waits, and the connection is not used again", async (_what, parts) => {
    const server = await rawServer((socket, connection) => {
      if (connection > 1) return answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(socket);
      socket.once("data", () => {
        socket.pause();
        socket.write("HTTP/1.1 507 Full\r\nContent-Length: 4\r\n\r\nfull");
      });
    });
    const transport = new Transport(server.url);
    onTestFinished(async () => await transport[Symbol.asyncDispose]());
    const piece = Buffer.alloc(16 * 1024 * 1024);
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let part = 0; part < parts; part += 1) yield piece;
    }
    const headers = { "content-length": String(piece.length * parts) };
    const body = parts === 1 ? piece : pieces();
    const refused = await transport.send({ method: "PUT", url: server.url, headers, body });
    expect(refused.status).toBe(507);
    const closed = new Promise(resolve => server.sockets[0]?.once("close", resolve));
    expect(Buffer.from((await readBody(refused.body, 100)).bytes).toString()).toBe("full");
    server.sockets[0]?.resume();
    await closed;
    await (await transport.send({ method: "GET", url: server.url, headers: {} })).body.dump();
    expect(server.sockets).toHaveLength(2);
  });
});

test("a request that is stopped after the last byte of its answer, and before the end, does not end the process", async () => {
  const { server, socket, send } = await scene();
  const stop = new AbortController();
  const sending = send({ url: server.url, signal: stop.signal });
  (await socket).write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  await (await sending).body[Symbol.asyncIterator]().next();
  // An error without a listener fails the run.
  stop.abort(new Error("stopped"));
  await turns(50);
});
