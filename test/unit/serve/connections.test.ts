import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { MAX_CONNECTIONS, MAX_SERVED } from "../../../src/serve/connections/connection-table.ts";
import {
  addressOf,
  closed,
  digestOf,
  errorCodes,
  handClock,
  makeFolder,
  openSocket,
  pushBlob,
  rawReply,
  send,
  start,
} from "./registry-client.ts";

const SLOW_UPLOADS = 128;

describe("pipelined requests", () => {
  test("900 on one connection are all answered, in their order", async () => {
    const registry = await start();
    const digests = [await pushBlob(registry, "app", "first"), await pushBlob(registry, "app", "second")];
    const texts = Array.from(
      { length: 900 },
      (_, index) => `GET /v2/app/blobs/${digests[index % 2]} HTTP/1.1\r\nHost: a\r\n`,
    );
    const reply = await rawReply(addressOf(registry).port, `${texts.join("\r\n")}Connection: close\r\n\r\n`);
    const bodies = [...reply.matchAll(/\r\n\r\n(first|second)(?=HTTP\/1.1 200 |$)/g)].map(([, body]) => body);
    expect(bodies).toEqual(texts.map((_, index) => (index % 2 === 0 ? "first" : "second")));
  });

  // Only Linux lists the open files of a process.
  test.runIf(process.platform === "linux")("900 of a client that does not read keep one file open", async () => {
    const store = await makeFolder();
    const registry = await start({ store });
    const bytes = Buffer.alloc(12 * 1024 * 1024);
    const path = `/v2/app/blobs/${await pushBlob(registry, "app", bytes)}`;
    const openFiles = async (): Promise<number> => {
      const files = (await readdir("/proc/self/fd")).map(
        async fd => await readlink(`/proc/self/fd/${fd}`).catch(() => ""),
      );
      return (await Promise.all(files)).filter(file => file.startsWith(join(store, "blobs"))).length;
    };
    const socket = await openSocket(registry);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(900));
    await vi.waitUntil(async () => (await openFiles()) > 0, { timeout: 30_000 });
    expect((await send(registry, "GET", path)).body.length).toBe(bytes.length);
    expect(await openFiles()).toBe(1);
  });
});

describe("S-06 many connections", () => {
  test("idle ones make room for a client; without any, it gets 503 and is told to come back", async () => {
    const clock = handClock();
    const registry = await start({}, clock);
    const idle = [];
    for (let count = 0; count < MAX_SERVED; count += 1) idle.push(await openSocket(registry));
    const refused = await send(registry, "GET", "/v2/");
    expect([refused.status, refused.headers["retry-after"], refused.headers.connection]).toEqual([503, "1", "close"]);
    expect(errorCodes(refused)).toEqual(["TOOMANYREQUESTS"]);
    clock.pass(1000);
    expect((await send(registry, "GET", "/v2/")).status).toBe(200);
    await closed(idle[0] ?? expect.unreachable());
    expect(idle.filter(socket => socket.closed)).toHaveLength(1);
  });

  test("128 uploads of nearly no byte a second make room for a client that waits", async () => {
    const clock = handClock();
    const store = await makeFolder();
    const registry = await start({ store }, clock);
    const path = `/v2/app/blobs/${await pushBlob(registry, "app", "hello")}`;
    const head = `POST /v2/app/blobs/uploads/?digest=${digestOf("x")} HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n`;
    const slow = await Promise.all(Array.from({ length: SLOW_UPLOADS }, async () => await openSocket(registry)));
    for (const socket of slow) socket.write(head);
    await vi.waitUntil(async () => (await readdir(join(store, "uploads"))).length === SLOW_UPLOADS, {
      timeout: 30_000,
    });
    expect((await send(registry, "HEAD", path)).status).toBe(200);
    for (const socket of slow) socket.write("x");
    clock.pass(1000);
    clock.pass(1000);
    expect((await send(registry, "GET", path)).body.toString()).toBe("hello");
    expect(slow.filter(socket => socket.closed).length).toBeLessThanOrEqual(1);
    // Without others that wait, two minutes are the limit.
    clock.pass(119_000);
    await Promise.all(slow.map(closed));
  });

  test(`more than ${MAX_CONNECTIONS} at a time are closed at once`, async () => {
    const clock = handClock();
    const registry = await start({}, clock);
    const sockets = await Promise.all(Array.from({ length: MAX_CONNECTIONS }, async () => await openSocket(registry)));
    await closed(await openSocket(registry));
    expect(sockets.every(socket => !socket.closed)).toBe(true);
  });
});
