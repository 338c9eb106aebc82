import { readdir } from "node:fs/promises";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { MAX_CONNECTIONS } from "../../../src/serve/connections/connection-table.ts";
import type { RunningRegistry } from "../../../src/serve/server.ts";
import { digestOf, handClock, openSocket, pushImage, type Reply, send, start } from "./registry-client.ts";

const CONNECTIONS = 2000;
/** Of a tenth of a second each. */
const MAX_TURNS = 50_000;

/** As a client does it: an attempt that finds no room is made again. */
async function sendUntilServed(registry: RunningRegistry, path: string): Promise<Reply> {
  for (;;) {
    const reply = await send(registry, "GET", path).catch(() => undefined);
    if (reply !== undefined && reply.status !== 503) return reply;
  }
}

// The descriptors of the clients are in the same process.
const descriptors = async (): Promise<number> => (await readdir("/proc/self/fd")).length;

test.runIf(process.platform === "linux").each([
  ["say nothing", ""],
  ["stop in the middle of the headers", "GET /v2/ HTTP/1.1\r\nHost: a\r\nX: "],
  [
    "stop in the middle of a body",
    `POST /v2/app/blobs/uploads/?digest=${digestOf("x")} HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\nx`,
  ],
])(`${CONNECTIONS} connections that %s: others are served, and the number of files is bounded`, async (_, text) => {
  const clock = handClock();
  const registry = await start({}, clock);
  const manifest = await pushImage(registry, "app", "1");
  const before = await descriptors();
  const sockets: Socket[] = [];
  for (let count = 0; count < CONNECTIONS; count += 1) {
    const socket = await openSocket(registry);
    if (text !== "") socket.write(text);
    sockets.push(socket.pause());
  }
  // The server, on the same loop, has seen them all when it answers this one, or refuses it.
  await send(registry, "GET", "/v2/").catch(() => undefined);
  let isServed = false;
  const served = sendUntilServed(registry, "/v2/app/manifests/1").finally(() => {
    isServed = true;
  });
  for (let turn = 0; !isServed && turn < MAX_TURNS; turn += 1) {
    clock.pass(100);
    await setImmediate();
  }
  expect(isServed).toBe(true);
  expect((await served).body.toString()).toBe(manifest);
  // Three per transfer: the connection, the blob, the upload.
  expect((await descriptors()) - before - sockets.filter(socket => !socket.destroyed).length).toBeLessThanOrEqual(
    MAX_CONNECTIONS + 2 * 128,
  );
});
