// @ts-check
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { pipeline } from "node:stream";

/** @typedef {{ requests: number, sent: number, received: number }} Counts sent and received are bytes of bodies */

// RFC 9110 section 7.6.1: these belong to one connection.
const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

/**
 * Passes every request on and counts it. Rewrites nothing: the registry behind it must answer with relative Locations.
 * @param {number} port loopback port to listen on
 * @param {number} registryPort
 * @returns {Promise<{ counts: Counts, close(): Promise<void> }>}
 */
export async function startCountingProxy(port, registryPort) {
  /** @type {Counts} */
  const counts = { requests: 0, sent: 0, received: 0 };
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    counts.requests++;
    const { expect: _, ...headers } = incoming.headers;
    const onward = request({
      agent,
      host: "127.0.0.1",
      port: registryPort,
      method: incoming.method,
      path: incoming.url,
      headers,
    });
    incoming.on("data", chunk => {
      counts.sent += chunk.length;
    });
    onward.once("error", () => outgoing.destroy());
    onward.once("response", answer => {
      outgoing.writeHead(answer.statusCode ?? 502, endToEnd(answer.rawHeaders));
      answer.on("data", chunk => {
        counts.received += chunk.length;
      });
      pipeline(answer, outgoing, error => {
        if (error) onward.destroy();
      });
    });
    pipeline(incoming, onward, error => {
      if (error) outgoing.destroy();
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    counts,
    close: async () => {
      server.closeAllConnections();
      agent.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** @param {string[]} raw names and values in turn */
function endToEnd(raw) {
  const kept = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, raw[index + 1] ?? "");
  }
  return kept;
}
