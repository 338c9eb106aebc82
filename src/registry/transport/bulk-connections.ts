import type { LookupFunction } from "node:net";
import type { RateLimit } from "../http/rate-limit.ts";
import type { TransportOptions } from "../http/tls-options.ts";
import { originOf } from "../origin/origin.ts";
import type { TlsSessions } from "../origin/tls-sessions.ts";
import { BulkConnection } from "./bulk-connection.ts";
import type { ByteTaker } from "./byte-taker.ts";
import type { ResponseHead } from "./response-head.ts";

/** A GET whose body goes to `taker`, unless the head says otherwise. */
export interface BulkRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Called with the head; false leaves the body untaken. */
  readonly accept: (head: ResponseHead) => boolean;
  readonly taker: ByteTaker;
  readonly signal?: AbortSignal | undefined;
}

/** Keep-alive connections for big bodies, by origin. Never shared across origins (security case A-09). */
export class BulkConnections {
  readonly #lookup: LookupFunction;
  readonly #sessions: TlsSessions | undefined;
  readonly #idle = new Map<string, BulkConnection[]>();

  constructor(lookup: LookupFunction, sessions?: TlsSessions) {
    this.#lookup = lookup;
    this.#sessions = sessions;
  }

  /**
   * @returns the head, when the body has been taken or was not accepted.
   * @throws NetworkError (transient) when the body breaks off.
   */
  async get(request: BulkRequest, options: TransportOptions): Promise<ResponseHead> {
    const { url, accept, signal } = request;
    signal?.throwIfAborted();
    const idle = this.#takeIdle(url);
    const connection = idle ?? new BulkConnection(url, options, this.#lookup, options.idleMs, this.#sessions);
    const onAbort = (): void => connection.destroy(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    let isAnswered = false;
    const noteHead = (head: ResponseHead): boolean => {
      isAnswered = true;
      return accept(head);
    };
    try {
      const path = `${url.pathname}${url.search}`;
      const headers = { host: url.host, ...request.headers };
      const head = await connection.get(path, headers, noteHead, paced(request, options.rate));
      if (connection.usable) this.#keep(url, connection);
      return head;
    } catch (error) {
      signal?.throwIfAborted();
      // The server may have closed an idle connection just now: that says nothing about the next one.
      if (idle !== undefined && !isAnswered) return await this.get(request, options);
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Ends connections that carry no request. */
  destroy(): void {
    for (const connections of this.#idle.values()) for (const connection of connections) connection.destroy();
    this.#idle.clear();
  }

  #takeIdle(url: URL): BulkConnection | undefined {
    const idle = this.#idle.get(originOf(url)) ?? [];
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
      if (connection.usable) return connection;
    }
    return undefined;
  }

  #keep(url: URL, connection: BulkConnection): void {
    const idle = this.#idle.get(originOf(url));
    if (idle === undefined) this.#idle.set(originOf(url), [connection]);
    else idle.push(connection);
  }
}

/** Takes bytes when the run's rate allows it. */
function paced({ taker, signal }: BulkRequest, rate: RateLimit | undefined): ByteTaker {
  if (rate === undefined) return taker;
  return {
    take: part => {
      const pause = rate.take(part.length, signal);
      return pause === undefined ? taker.take(part) : pause.then(() => taker.take(part));
    },
  };
}
