import type { LookupFunction } from "node:net";
import { errorCode } from "../../util/error-code.ts";
import { type TransportOptions, trustLevel } from "../http/tls-options.ts";
import { originOf } from "../origin/origin.ts";
import type { TlsSessions } from "../origin/tls-sessions.ts";
import { StaleConnection, type TransportRequest, type TransportResponse } from "./exchange.ts";
import { ShortConnection } from "./short-connection.ts";

const IDLE_MS = 120_000;
const MAX_IDLE = 64;
/** What a request finds on a connection that the server has closed; EPIPE when its end had come before. */
const CLOSED: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

/** Keep-alive connections for short requests, by origin. Never shared across origins (security case A-09). */
export class ShortConnections {
  readonly #lookup: LookupFunction;
  readonly #sessions: TlsSessions | undefined;
  readonly #idle = new Map<string, ShortConnection[]>();
  readonly #busy = new Set<ShortConnection>();

  constructor(lookup: LookupFunction, sessions?: TlsSessions) {
    this.#lookup = lookup;
    this.#sessions = sessions;
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
    try {
      return await connection.send(request);
    } catch (error) {
      const isStale = idle !== undefined && !connection.isHeard && CLOSED.has(errorCode(error));
      if (!isStale) throw error;
      // The others have been idle for longer: the next one must be new.
      this.#drop(key);
      throw new StaleConnection("the connection was closed early", { cause: error });
    } finally {
      if (!connection.isUsable) this.#busy.delete(connection);
    }
  }

  /** Ends connections that carry no request. */
  dropIdle(): void {
    for (const key of this.#idle.keys()) this.#drop(key);
  }

  destroy(): void {
    this.dropIdle();
    for (const connection of this.#busy) connection.destroy(ended());
    this.#busy.clear();
  }

  #open(key: string, url: URL, options: TransportOptions): ShortConnection {
    const { idleMs = IDLE_MS } = options;
    const onFree = (free: ShortConnection): void => {
      this.#busy.delete(free);
      const idle = this.#idle.get(key);
      if (idle === undefined) this.#idle.set(key, [free]);
      else if (idle.length < MAX_IDLE) idle.push(free);
      else free.destroy(ended());
    };
    return new ShortConnection(url, options, { lookup: this.#lookup, idleMs, onFree, sessions: this.#sessions });
  }

  #drop(key: string): void {
    for (const one of this.#idle.get(key) ?? []) one.destroy(ended());
    this.#idle.delete(key);
  }

  #takeIdle(key: string): ShortConnection | undefined {
    const idle = this.#idle.get(key) ?? [];
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
      if (connection.isUsable) return connection;
      connection.destroy(ended());
    }
    return undefined;
  }
}

function ended(): Error {
  return Object.assign(new Error("the connection was ended"), { code: "ECONNRESET" });
}
