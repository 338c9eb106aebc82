import { describe, expect, onTestFinished, test, vi } from "vitest";
import { BulkConnection } from "../../../../src/registry/transport/bulk-connection.ts";
import type { ByteTaker } from "../../../../src/registry/transport/byte-taker.ts";
import { deferred } from "../../../../src/util/promises.ts";
import { seededBytes } from "../../../support/images.ts";
import { TEST_TLS } from "../../../support/test-tls.ts";
import { answering, rawServer } from "../http/raw-server.ts";

const BODY = seededBytes("body", 1_500_000);

function response(body: Uint8Array, headers = "", status = "200 OK"): Buffer {
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n${headers}\r\n`), body]);
}

function connect(url: URL): BulkConnection {
  const connection = new BulkConnection(url, { ca: TEST_TLS.cert });
  onTestFinished(() => connection.destroy());
  return connection;
}

/** Copies what it takes; `wait` says when it is ready for more. */
function collector(wait?: (part: number) => Promise<void> | undefined): ByteTaker & { bytes(): Buffer } {
  const parts: Buffer[] = [];
  let calls = 0;
  const take: ByteTaker["take"] = part => {
    calls += 1;
    const waiting = wait?.(calls);
    if (waiting === undefined) {
      parts.push(Buffer.from(part));
      return undefined;
    }
    // Like a taker that has no room yet, it looks at the bytes only after the wait.
    return waiting.then(() => void parts.push(Buffer.from(part)));
  };
  return { take, bytes: () => Buffer.concat(parts) };
}

const nextTurn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
const get = async (connection: BulkConnection, taker: ByteTaker, isWanted = true): ReturnType<BulkConnection["get"]> =>
  await connection.get("/x", { host: "h" }, () => isWanted, taker);

describe.each(["http", "https"] as const)("BulkConnection over %s", protocol => {
  test("BulkConnection takes a body whole", async () => {
    const { url } = await rawServer(answering(response(BODY)), protocol);
    const taken = collector();
    const head = await get(connect(url), taken);
    expect(head).toMatchObject({ status: 200, contentLength: BODY.length, keepAlive: true });
    expect(taken.bytes().equals(BODY)).toBe(true);
  });

  test("BulkConnection keeps order and bytes for a taker that is always slow", async () => {
    const { url } = await rawServer(answering(response(BODY)), protocol);
    const taken = collector(nextTurn);
    await get(connect(url), taken);
    expect(taken.bytes().equals(BODY)).toBe(true);
  });

  test("BulkConnection keeps order and bytes for a taker that is slow now and then", async () => {
    const { url } = await rawServer(answering(response(BODY)), protocol);
    const taken = collector(part => (part % 3 === 0 ? nextTurn() : undefined));
    await get(connect(url), taken);
    expect(taken.bytes().equals(BODY)).toBe(true);
  });

  test("BulkConnection keeps order and bytes for a taker with room of its own, and reads the last body into no later room", async () => {
    const { url } = await rawServer(answering(response(BODY)), protocol);
    const connection = connect(url);
    const bodies = [0, 1].map(() => Buffer.alloc(BODY.length));
    for (const [round, body] of bodies.entries()) {
      let filled = 0;
      let calls = 0;
      let inPlace = 0;
      const copy = (part: Uint8Array): void => {
        if (part.buffer === body.buffer && part.byteOffset === body.byteOffset + filled) inPlace += part.length;
        else body.set(part, filled);
        filled += part.length;
      };
      await get(connection, {
        take: part => {
          calls += 1;
          if (calls % 7 === 0) return nextTurn().then(() => copy(part));
          copy(part);
          return undefined;
        },
        room: () => (calls % 5 === 0 ? undefined : body.subarray(filled, filled + 100_000)),
      });
      expect(filled).toBe(BODY.length);
      if (protocol === "http" && process.platform !== "win32") expect(inPlace).toBeGreaterThan(BODY.length / 2);
      for (const earlier of bodies.slice(0, round + 1)) expect(earlier.equals(BODY)).toBe(true);
    }
  });

  test("BulkConnection carries several bodies, one after the other", async () => {
    const server = await rawServer(answering(response(BODY)), protocol);
    const connection = connect(server.url);
    for (let round = 0; round < 3; round += 1) {
      const taken = collector(part => (part % 2 === 0 ? nextTurn() : undefined));
      await get(connection, taken);
      expect(taken.bytes().equals(BODY)).toBe(true);
      expect(connection.usable).toBe(true);
    }
    expect(server.sockets).toHaveLength(1);
  });

  test("BulkConnection leaves no timer behind that keeps the process from ending, after a taker that is slow", async () => {
    const { url } = await rawServer(answering(response(BODY)), protocol);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const connection = connect(url);
    await get(connection, collector(nextTurn));
    await nextTurn();
    expect(connection.usable).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("BulkConnection fails when the server ends inside the body", async () => {
    const { url } = await rawServer(socket => {
      socket.once("data", () => socket.end(response(BODY).subarray(0, 100_000)));
    }, protocol);
    const connection = connect(url);
    await expect(get(connection, collector())).rejects.toMatchObject({ code: "ERR_NETWORK", transient: true });
    expect(connection.usable).toBe(false);
  });

  test("BulkConnection hands everything on when the server closes behind the body", async () => {
    const { url } = await rawServer(socket => {
      socket.once("data", () => socket.end(response(BODY)));
    }, protocol);
    const taken = collector(nextTurn);
    await get(connect(url), taken);
    expect(taken.bytes().equals(BODY)).toBe(true);
  });
});

describe("BulkConnection", () => {
  test("BulkConnection rejects only after the taker has settled", async () => {
    const { url } = await rawServer(answering(response(BODY)));
    const connection = connect(url);
    const busy = deferred<void>();
    const started = deferred<void>();
    const order: string[] = [];
    const take = (): Promise<void> => {
      started.resolve();
      return busy.promise;
    };
    const failing = get(connection, { take }).catch(error => order.push(String(error)));
    await started.promise;
    connection.destroy(new RangeError("stop"));
    await nextTurn();
    order.push("taker settles");
    busy.resolve();
    await failing;
    expect(order).toEqual(["taker settles", "RangeError: stop"]);
  });

  test.each([
    ["before the answer", ""],
    ["inside the head", "HTTP/1.1 200 OK\r\nContent-Le"],
    ["behind the head", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"],
  ])("BulkConnection fails for now when the server leaves %s", async (_where, bytes) => {
    const { url } = await rawServer(socket => {
      socket.once("data", () => socket.end(bytes));
    });
    await expect(get(connect(url), collector())).rejects.toThrow(
      expect.objectContaining({ code: "ERR_NETWORK", transient: true }),
    );
  });

  test.each([
    ["more than it announced", Buffer.concat([response(Buffer.from("hello")), Buffer.from("!")]), /more bytes came/],
    ["no HTTP", Buffer.from("SSH-2.0-OpenSSH_9.2\r\n\r\n"), /not HTTP\/1\.1/],
    ["a head without end", Buffer.from(`HTTP/1.1 200 OK\r\n${"X: y\r\n".repeat(7000)}`), /headers exceed 32768 bytes/],
  ])("BulkConnection refuses a server that sends %s", async (_what, bytes, message) => {
    const { url } = await rawServer(answering(bytes));
    await expect(get(connect(url), collector())).rejects.toThrow(message);
  });

  test("BulkConnection passes a taker's own error on", async () => {
    const { url } = await rawServer(answering(response(BODY)));
    await expect(
      get(
        connect(url),
        collector(async () => Promise.reject(new RangeError("full"))),
      ),
    ).rejects.toThrow(RangeError);
  });

  test("BulkConnection stays usable after a small body that nobody wants", async () => {
    const server = await rawServer(answering(response(Buffer.alloc(300), "Location: /y\r\n", "307 Moved")));
    const connection = connect(server.url);
    for (let round = 0; round < 2; round += 1) {
      const taken = collector();
      expect(await get(connection, taken, false)).toMatchObject({ status: 307 });
      expect(taken.bytes()).toHaveLength(0);
    }
    expect(connection.usable).toBe(true);
  });

  test.each([
    ["big", response(BODY)],
    ["of unknown length", Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")],
    ["that never comes", Buffer.from("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")],
  ])("BulkConnection ends with a body %s that nobody wants", async (_what, bytes) => {
    const { url } = await rawServer(answering(bytes));
    const connection = connect(url);
    await get(connection, collector(), false);
    expect(connection.usable).toBe(false);
    await expect(get(connection, collector())).rejects.toMatchObject({ code: "ERR_NETWORK" });
  });

  test("BulkConnection is not used again when the server says close", async () => {
    const { url } = await rawServer(answering(response(Buffer.from("hello"), "Connection: close\r\n")));
    const connection = connect(url);
    await get(connection, collector());
    expect(connection.usable).toBe(false);
  });

  test("BulkConnection takes an empty body", async () => {
    const { url } = await rawServer(answering(response(Buffer.alloc(0))));
    expect(await get(connect(url), collector())).toMatchObject({ status: 200 });
  });

  test("BulkConnection refuses a certificate that nobody vouches for", async () => {
    const { url } = await rawServer(answering(response(BODY)), "https");
    const connection = new BulkConnection(url, {});
    await expect(get(connection, collector())).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  });
});
