import { createServer, isIPv4, type Server, type Socket } from "node:net";
import { deferred } from "../../util/promises.ts";
import type { ListenAddress } from "./listen-address.ts";
import { listenFault } from "./listen-fault.ts";

/** A port that is open. */
export interface Listener {
  /** As it was asked for, with the port that it got. */
  readonly asked: ListenAddress;
  /** Address that the system gave. */
  readonly host: string;
  /** Takes no new connections from now on. Resolves when the last one has ended. */
  close(): Promise<void>;
}

/**
 * Listens on all of them, or on none.
 *
 * @throws NetworkError for the first one that cannot be used.
 */
export async function listenOn(
  addresses: readonly ListenAddress[],
  onConnection: (socket: Socket) => void,
): Promise<readonly Listener[]> {
  const listeners: Listener[] = [];
  try {
    for (const address of addresses) {
      // "::" alone takes connections of IPv4, too, unless it is told not to.
      const ipv6Only = addresses.some(({ host, port }) => port === address.port && isIPv4(host));
      listeners.push(await listen(address, ipv6Only, onConnection));
    }
  } catch (error) {
    for (const listener of listeners) void listener.close();
    throw error;
  }
  return listeners;
}

async function listen(
  address: ListenAddress,
  ipv6Only: boolean,
  onConnection: (socket: Socket) => void,
): Promise<Listener> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, onConnection);
  const ready = deferred<void>();
  server.once("error", ready.reject);
  server.listen({ ...address, ipv6Only }, ready.resolve);
  try {
    await ready.promise;
  } catch (error) {
    throw listenFault(address, error);
  } finally {
    server.off("error", ready.reject);
  }
  const { host, port } = boundTo(server, address);
  return {
    asked: { host: address.host, port },
    host,
    async close() {
      const closed = deferred<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

function boundTo(server: Server, asked: ListenAddress): ListenAddress {
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? { host: bound.address, port: bound.port } : asked;
}
