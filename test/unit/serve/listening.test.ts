import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { expect, test, vi } from "vitest";
import { MAX_SERVED } from "../../../src/serve/connections/connection-table.ts";
import { parseListenAddress } from "../../../src/serve/connections/listen-address.ts";
import type { ServeEvent } from "../../../src/serve/serve-event.ts";
import { TEST_TLS } from "../../support/test-tls.ts";
import {
  addressOf,
  closed,
  digestOf,
  handClock,
  makeFolder,
  openSocket,
  pushBlob,
  pushImage,
  rawReply,
  send,
  start,
} from "./registry-client.ts";

test.each([
  ["5000", { host: "127.0.0.1", port: 5000 }],
  [":5000", { host: "127.0.0.1", port: 5000 }],
  ["registry.lan:80", { host: "registry.lan", port: 80 }],
  ["[::]:5000", { host: "::", port: 5000 }],
  ["[fe80::1%eth0]:1", { host: "fe80::1%eth0", port: 1 }],
  ["[::ffff:10.0.0.1]:1", { host: "::ffff:10.0.0.1", port: 1 }],
])("parseListenAddress(%j)", (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});

test.each(["", "host", "::1:5000", "[::1]", "a:65536", "http://a:1", "a:-1"])(
  "parseListenAddress(%j) refuses it",
  text => {
    expect(() => parseListenAddress(text)).toThrow(/malformed, expected HOST:PORT/);
  },
);

test("serves the same on all addresses, of IPv4 and IPv6, even with the same port", async () => {
  const first = await start({ listen: ["127.0.0.1:0", "[::1]:0"] });
  expect(first.urls).toEqual([first.url, expect.stringMatching(/^http:\/\/\[::1\]:\d+$/)]);
  await pushImage(first, "app", "1");
  for (const url of first.urls) expect((await send({ url }, "GET", "/v2/app/manifests/1")).status).toBe(200);
  await first.close();
  const { port } = addressOf(first);
  const second = await start({ listen: [`0.0.0.0:${port}`, `[::]:${port}`] });
  expect(second.isOpenToNetwork).toBe(true);
  expect(second.openUrls.every(url => !url.includes("127.0.0.1"))).toBe(true);
  for (const host of ["127.0.0.1", "[::1]"])
    expect((await send({ url: `http://${host}:${port}` }, "GET", "/v2/")).status).toBe(200);
});

test("one address that cannot be used ends all, and names it", async () => {
  const other = await start();
  const free = await start();
  await free.close();
  const store = await makeFolder();
  const listen = [new URL(free.url).host, new URL(other.url).host];
  await expect(start({ store, listen })).rejects.toMatchObject({
    code: "ERR_NETWORK",
    message: expect.stringContaining(`"${listen[1]}": port in use`),
  });
  await start({ store, listen: listen[0] });
});

test("TLS: a push and a pull; plain HTTP is answered in words, broken handshakes are reported, and the server lives", async () => {
  const events: ServeEvent[] = [];
  const registry = await start({ tls: TEST_TLS, onEvent: event => events.push(event) });
  await pushImage(registry, "app", "1");
  expect((await send(registry, "GET", `/v2/app/blobs/${digestOf("layer")}`)).body.toString()).toBe("layer");
  const { port } = addressOf(registry);
  expect(await rawReply(port, "GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n")).toMatch(
    /^HTTP\/1.1 400 [\s\S]*an HTTP request to an HTTPS server/,
  );
  expect(await rawReply(port, "\u0016\u0003\u0001\u0000\u0005hello")).not.toContain("HTTP");
  await vi.waitUntil(() => events.filter(({ kind }) => kind === "connection").length === 2);
  expect(events.flatMap(event => (event.kind === "connection" ? [event.found] : []))).toEqual([
    "spoke plain HTTP to a port of TLS",
    expect.stringMatching(/^failed in the TLS handshake \(ERR_SSL_/),
  ]);
  expect((await send(registry, "GET", "/v2/")).status).toBe(200);
});

test("TLS to a port of plain HTTP is 400, and reported", async () => {
  const events: ServeEvent[] = [];
  const registry = await start({ onEvent: event => events.push(event) });
  const socket = connectTls({ ...addressOf(registry) });
  await once(socket, "error");
  expect(events).toEqual([
    { kind: "connection", remoteAddress: "127.0.0.1", found: "spoke TLS to a port of plain HTTP" },
  ]);
  expect((await send(registry, "GET", "/v2/")).status).toBe(200);
});

test.each([
  ["plain HTTP", undefined, ""],
  ["a handshake that does not begin", TEST_TLS, ""],
  ["a handshake that stops", TEST_TLS, "\u0016\u0003\u0001"],
  ["a head that does not end", undefined, "GET /v2/ HTTP/1.1\r\nHost: a\r\n"],
])("S-06 %s: connections count from their start, make room, and end after 10 seconds", async (_, tls, text) => {
  const clock = handClock();
  const registry = await start({ tls }, clock);
  const sockets = [];
  for (let count = 0; count < MAX_SERVED; count += 1) sockets.push(await openSocket(registry));
  for (const socket of sockets) if (text !== "") socket.write(text, "latin1");
  expect((await send(registry, "GET", "/v2/")).status).toBe(503);
  clock.pass(1000);
  expect((await send(registry, "GET", "/v2/")).status).toBe(200);
  clock.pass(9000);
  await Promise.all(sockets.map(closed));
  expect((await send(registry, "GET", "/v2/")).status).toBe(200);
});

test("S-06 after a request, the head of the next one may take 10 seconds from its first byte; without one the connection stays", async () => {
  const clock = handClock();
  const registry = await start({}, clock);
  const [quiet, slow] = [await openSocket(registry), await openSocket(registry)];
  for (const socket of [quiet, slow]) {
    socket.write("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(socket, "data");
  }
  slow.write("GET /v2/ HT");
  // An answer that comes later has been sent later.
  await send(registry, "GET", "/v2/");
  for (let count = 0; count < 11; count += 1) clock.pass(1000);
  await closed(slow);
  expect(quiet.closed).toBe(false);
});

const BLOB = Buffer.alloc(24 * 1024 * 1024, 7);

test("a registry that closes lets a download end within drainMs, and takes no new connection", async () => {
  const notes: unknown[] = [];
  const registry = await start({ drainMs: 8000, onEvent: event => event.kind === "note" && notes.push(event.message) });
  const path = `/v2/app/blobs/${await pushBlob(registry, "app", BLOB)}`;
  const { host, port } = addressOf(registry);
  const idle = await openSocket(registry);
  const socket = connect(port, host);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  let bytes = (await once(socket, "data"))[0].length as number;
  socket.pause();
  const closing = registry.close();
  await closed(idle);
  await expect(send(registry, "GET", "/v2/")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  socket.on("data", part => {
    bytes += part.length;
  });
  socket.resume();
  await once(socket, "close");
  expect(bytes).toBeGreaterThan(BLOB.length);
  await closing;
  expect(notes).toEqual(["Stopping: 1 request has 8 s to end"]);
});

test("what has not ended after drainMs is cut", async () => {
  const clock = handClock();
  const registry = await start({ drainMs: 8000 }, clock);
  const path = `/v2/app/blobs/${await pushBlob(registry, "app", BLOB)}`;
  const socket = await openSocket(registry);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await once(socket, "data");
  socket.pause();
  const closing = registry.close();
  clock.pass(8000);
  await closing;
  await closed(socket);
});
