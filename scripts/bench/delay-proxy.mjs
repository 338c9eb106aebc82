// @ts-check
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Bytes on their way in one direction; more must wait, as with a full window. */
const WINDOW_BYTES = 8 * 2 ** 20;

/**
 * A loopback port that is as far from the registry as a link with this round trip: each byte arrives half of it later, and
 * a connection starts with one round trip. The bandwidth is that of the loopback interface.
 *
 * @param {number} registryPort
 * @param {number} roundTripMs
 * @returns {Promise<{ port: number, close(): Promise<void> }>}
 */
export async function startDelayProxy(registryPort, roundTripMs) {
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  const server = createServer(near => {
    const far = connect({ port: registryPort, host: "127.0.0.1", noDelay: true });
    near.setNoDelay(true);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    // The client's TCP handshake ends at this proxy, at once.
    passLate(near, far, roundTripMs / 2, roundTripMs);
    passLate(far, near, roundTripMs / 2, 0);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: /** @type {import("node:net").AddressInfo} */ (server.address()).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/**
 * @param {import("node:net").Socket} from
 * @param {import("node:net").Socket} to
 * @param {number} ms
 * @param {number} firstMs in addition, for what the first bytes wait
 */
function passLate(from, to, ms, firstMs) {
  let held = 0;
  const earliest = performance.now() + firstMs;
  const later = (/** @type {() => void} */ work) => setTimeout(work, Math.max(0, earliest - performance.now()) + ms);
  from.on("data", chunk => {
    held += chunk.length;
    if (held > WINDOW_BYTES) from.pause();
    later(() => {
      held -= chunk.length;
      if (held <= WINDOW_BYTES / 2) from.resume();
      if (to.writable) to.write(chunk);
    });
  });
  from.on("end", () => void later(() => to.end()));
  from.on("close", () => void later(() => to.destroy()));
}
