import type { LookupFunction } from "node:net";
import { errorCode } from "../../util/error-code.ts";
import { type TransportOptions, trustLevel } from "../http/tls-options.ts";
import { originOf } from "../origin/origin.ts";
import { StaleConnection, type TransportRequest, type TransportResponse } from "./exchange.ts";
import { ShortConnection } from "./short-connection.ts";

const IDLE_MS = 120_000;
const MAX_IDLE = 64;

/** Keep-alive connections for short requests, by origin. Never shared across origins (security case A-09). */
export class ShortConnections {
  readonly #lookup: LookupFunction;
  readonly #idle = new Map<string, ShortConnection[]>();
  readonly #busy = new Set<ShortConnection>();

  constructor(lookup: LookupFunction) {
    this.#lookup = lookup;
  }

  /**
   * Sends a request whose body is in memory, or that has none.
   *
   * @throws StaleConnection, or the error of the connection.
   */
  async send(request: TransportRequest, options: TransportOptions): Promise<TransportResponse> {
    const { url, signal } = request;
    signal?.throwIfAborted();
    const key = `${originOf(url)} ${trustLevel()}`;
    const idle = this.#takeIdle(key);
    const connection = idle ?? this.#open(key, url, options);
    this.#busy.add(connection);
    const { answers } = connection;
    try {
      return await connection.send(request);
    } catch (error) {
      const isStale = idle !== undefined && connection.answers === answers && errorCode(error) === "ECONNRESET";
      throw isStale ? new StaleConnection("the connection was closed early", { cause: error }) : error;
    } finally {
      if (!connection.isUsable) this.#busy.delete(connection);
    }
  }

  /** Ends connections that carry no request. */
  dropIdle(): void {
    for (const connections of this.#idle.values()) for (const one of connections) one.destroy(ended());
    this.#idle.clear();
  }

  destroy(): void {
    this.dropIdle();
    for (const connection of this.#busy) connection.destroy(ended());
    this.#busy.clear();
  }

  #open(key: string, url: URL, options: TransportOptions): ShortConnection {
    const { idleMs = IDLE_MS } = options;
    return new ShortConnection(url, options, this.#lookup, idleMs, free => {
      this.#busy.delete(free);
      const idle = this.#idle.get(key);
      if (idle === undefined) this.#idle.set(key, [free]);
      else if (idle.length < MAX_IDLE) idle.push(free);
      else free.destroy(ended());
    });
  }

  #takeIdle(key: string): ShortConnection | undefined {
    const idle = this.#idle.get(key) ?? [];
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop())
      if (connection.isUsable) return connection;
    return undefined;
  }
}

function ended(): Error {
  return Object.assign(new Error("the connection was ended"), { code: "ECONNRESET" });
}
