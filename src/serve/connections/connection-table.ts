import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { deferred } from "../../util/promises.ts";
import { Connection } from "./connection.ts";

/** Connections at a time; further ones are closed at once, without an answer. With their files, they fit into 1024 descriptors. */
export const MAX_CONNECTIONS = 512;
/** Above it, an idle or slow connection makes room for a new one; if there is none, requests of the new one get 503. */
export const MAX_SERVED = 448;
/** A client that connects first and then speaks needs a moment. */
const MIN_IDLE_MS = 1000;
/** Pipelined requests that wait, over all connections. Node parses up to 64 KiB of them before it can be paused. */
const MAX_WAITING = 4096;

/**
 * The open connections. Each has its requests answered one at a time. Connections that do nothing, or nearly nothing, are
 * closed when others need the room, and after a time in any case.
 */
export class ConnectionTable {
  readonly #open = new Set<Connection>();
  /** By the socket that the system gave, and by the TLS in it. */
  readonly #known = new WeakMap<Socket, Connection>();
  readonly #now: () => number;
  #waiting = 0;
  #lastSweep: number;
  #isDraining = false;
  readonly #drained = deferred<void>();
  readonly #ofClosed = { received: 0, sent: 0 };

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
    this.#lastSweep = now();
  }

  get size(): number {
    return this.#open.size;
  }

  /** Bytes of HTTP of all connections until now, without those of TLS. */
  get traffic(): { readonly received: number; readonly sent: number } {
    let { received, sent } = this.#ofClosed;
    for (const { socket } of this.#open) {
      received += socket.bytesRead;
      sent += socket.bytesWritten;
    }
    return { received, sent };
  }

  /** Connections end with the answers that are under way. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** @returns false if there is no room: then it is closed. */
  add(socket: Socket): boolean {
    if (this.#open.size >= MAX_CONNECTIONS) {
      socket.destroy();
      // The next attempt of that client then finds room.
      this.makeRoom();
      return false;
    }
    const connection = new Connection(socket, this.#now());
    this.#open.add(connection);
    this.#known.set(socket, connection);
    socket.once("close", () => {
      this.#remove(connection);
      this.#ofClosed.received += connection.socket.bytesRead;
      this.#ofClosed.sent += connection.socket.bytesWritten;
    });
    if (this.#open.size > MAX_SERVED) connection.isSurplus = !this.makeRoom();
    return true;
  }

  /** From now on, the requests of a connection come from the TLS in it. */
  secure(socket: Socket, tls: Socket): void {
    const connection = this.#known.get(socket);
    if (connection === undefined) return;
    connection.socket = tls;
    this.#known.set(tls, connection);
  }

  isSurplus(socket: Socket): boolean {
    return this.#known.get(socket)?.isSurplus === true;
  }

  /** Whether a request of it has no answer yet. */
  isBusy(socket: Socket): boolean {
    return (this.#known.get(socket)?.requests ?? 0) > 0;
  }

  /** Waits for `task` as the turn of another request. */
  async inLine<T>(socket: Socket, task: Promise<T>): Promise<T> {
    const connection = this.#known.get(socket);
    if (connection !== undefined) connection.isInLine = true;
    try {
      return await task;
    } finally {
      if (connection !== undefined) connection.isInLine = false;
    }
  }

  /**
   * Runs `task`, which answers a request and never rejects, when the earlier requests of its connection have their answers.
   * Until then the connection is not read, so that a client cannot make requests faster than they are answered.
   */
  async run(request: IncomingMessage, response: ServerResponse, task: () => Promise<void>): Promise<void> {
    const { socket } = request;
    const connection = this.#known.get(socket);
    if (connection === undefined || this.#waiting >= MAX_WAITING) {
      socket.destroy();
      return;
    }
    this.#waiting += 1;
    connection.requests += 1;
    const earlier = connection.turn;
    connection.turn = this.#inTurn(connection, { request, response, earlier }, task);
    if (connection.requests > 1) pauseSoon(socket);
    await connection.turn;
  }

  async #inTurn(
    connection: Connection,
    { request, response, earlier }: { request: IncomingMessage; response: ServerResponse; earlier: Promise<void> },
    task: () => Promise<void>,
  ): Promise<void> {
    await earlier;
    this.#waiting -= 1;
    const { socket } = connection;
    if (!socket.destroyed) {
      connection.begin({ request, response, since: this.#now() });
      await task();
      await closed(response, socket);
    }
    connection.end(this.#now());
    if (this.#isDraining) {
      socket.destroySoon();
    } else if (connection.requests === 0) {
      socket.resume();
    } else {
      pauseSoon(socket);
      // Other connections get a turn first.
      await setImmediate();
    }
  }

  /** Closes the connection that has been idle longest, or else the one that has been slow longest. @returns if there was one */
  makeRoom(): boolean {
    const limit = this.#now() - MIN_IDLE_MS;
    const victim = this.#oldest(({ idleSince = limit + 1 }) => (idleSince <= limit ? idleSince : undefined));
    if (victim === undefined) return this.cutSlowest();
    this.#cut(victim);
    return true;
  }

  /** Closes the connection whose body has been slow longest. @returns if there was one */
  cutSlowest(): boolean {
    const victim = this.#oldest(({ slowSince, isClientsTurn }) => (isClientsTurn ? slowSince : undefined));
    if (victim !== undefined) this.#cut(victim);
    return victim !== undefined;
  }

  /** Closes what has been too slow for too long. */
  sweep(): void {
    const now = this.#now();
    for (const connection of this.#open) if (connection.isOverdue(now, this.#lastSweep)) this.#cut(connection);
    this.#lastSweep = now;
  }

  /** Closes what is idle, and the others after the answers that are under way. Settles when none is open. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    for (const connection of this.#open) if (connection.requests === 0) this.#cut(connection);
    if (this.#open.size > 0) await this.#drained.promise;
  }

  cutAll(): void {
    for (const connection of this.#open) this.#cut(connection);
  }

  #oldest(timeOf: (connection: Connection) => number | undefined): Connection | undefined {
    let oldest: Connection | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const connection of this.#open) {
      const time = timeOf(connection) ?? least;
      if (time < least) [oldest, least] = [connection, time];
    }
    return oldest;
  }

  #cut(connection: Connection): void {
    this.#remove(connection);
    connection.socket.destroy();
  }

  #remove(connection: Connection): void {
    this.#open.delete(connection);
    if (this.#isDraining && this.#open.size === 0) this.#drained.resolve();
  }
}

/** Node resumes the socket after each request that it parses, so this is done when it has parsed what it has read. */
function pauseSoon(socket: Socket): void {
  process.nextTick(() => socket.pause());
}

/** Settles when the whole response has been handed to the system, or the connection is closed. */
async function closed(response: ServerResponse, socket: Socket): Promise<void> {
  if (response.closed || socket.destroyed) return;
  await new Promise<void>(resolve => {
    const done = (): void => {
      socket.off("close", done);
      resolve();
    };
    response.once("close", done);
    socket.once("close", done);
  });
}
