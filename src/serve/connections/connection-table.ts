import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";

/** Connections at a time; further ones are closed at once, without an answer. With their files, they fit into 1024 descriptors. */
export const MAX_CONNECTIONS = 512;
/** Above it, an idle or slow connection makes room for a new one; if there is none, requests of the new one get 503. */
export const MAX_SERVED = 448;
/** A client that connects first and then speaks needs a moment. */
const MIN_IDLE_MS = 1000;
/** Pipelined requests that wait, over all connections. Node parses up to 64 KiB of them before it can be paused. */
const MAX_WAITING = 4096;
/** Bytes per second of a body, in either direction. */
const MIN_CLIENT_RATE = 1024;
/** How long a body may be slower. */
const MAX_SLOW_MS = 120_000;

/** What the table knows of one connection. Times are in milliseconds. */
class Connection {
  readonly socket: Socket;
  /** Undefined while it has a request. */
  idleSince: number | undefined;
  /** The request that is being answered. */
  current: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly since: number } | undefined;
  /** Since when the body of the request is slower than it may be. */
  slowSince: number | undefined;
  /** Its request waits for others, so it is not the client that is slow. */
  isInLine = false;
  /** There was no room for it. */
  isSurplus = false;
  /** Requests without an answer, the current one included. */
  requests = 0;
  /** Ends when all requests so far have their answers. */
  turn: Promise<void> = Promise.resolve();
  bytes = 0;

  constructor(socket: Socket, now: number) {
    this.socket = socket;
    this.idleSince = now;
  }

  /** The server waits for the client to send or to take a body. */
  get isClientsTurn(): boolean {
    if (this.current === undefined || this.isInLine) return false;
    return !this.current.request.complete || this.current.response.headersSent;
  }
}

/**
 * The open connections. Each has its requests answered one at a time. Connections that do nothing, or nearly nothing, are
 * closed when others need the room, and after a time in any case.
 */
export class ConnectionTable {
  readonly #connections = new Map<Socket, Connection>();
  readonly #now: () => number;
  #waiting = 0;
  #lastSweep: number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now;
    this.#lastSweep = now();
  }

  add(socket: Socket): void {
    const connection = new Connection(socket, this.#now());
    this.#connections.set(socket, connection);
    socket.once("close", () => this.#connections.delete(socket));
    if (this.#connections.size > MAX_SERVED) connection.isSurplus = !this.makeRoom();
  }

  isSurplus(socket: Socket): boolean {
    return this.#connections.get(socket)?.isSurplus === true;
  }

  /** Waits for `task` as the turn of another request. */
  async inLine<T>(socket: Socket, task: Promise<T>): Promise<T> {
    const connection = this.#connections.get(socket);
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
    const connection = this.#connections.get(socket);
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
      connection.idleSince = undefined;
      connection.current = { request, response, since: this.#now() };
      await task();
      await closed(response, socket);
    }
    connection.requests -= 1;
    connection.current = undefined;
    connection.slowSince = undefined;
    connection.idleSince = this.#now();
    if (connection.requests === 0) {
      socket.resume();
      return;
    }
    pauseSoon(socket);
    // Other connections get a turn first.
    await setImmediate();
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

  /** Measures how fast bodies have moved since the last call, and closes what has been too slow for too long. */
  sweep(): void {
    const now = this.#now();
    const minBytes = ((now - this.#lastSweep) / 1000) * MIN_CLIENT_RATE;
    for (const connection of this.#connections.values()) {
      const bytes = connection.socket.bytesRead + connection.socket.bytesWritten;
      const isSlow = connection.isClientsTurn && bytes - connection.bytes < minBytes;
      connection.bytes = bytes;
      if (!isSlow) connection.slowSince = undefined;
      else if (connection.current !== undefined && connection.current.since <= this.#lastSweep) {
        connection.slowSince ??= this.#lastSweep;
      }
      if (now - (connection.slowSince ?? now) >= MAX_SLOW_MS) this.#cut(connection);
    }
    this.#lastSweep = now;
  }

  #oldest(timeOf: (connection: Connection) => number | undefined): Connection | undefined {
    let oldest: Connection | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const connection of this.#connections.values()) {
      const time = timeOf(connection) ?? least;
      if (time < least) [oldest, least] = [connection, time];
    }
    return oldest;
  }

  #cut({ socket }: Connection): void {
    this.#connections.delete(socket);
    socket.destroy();
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
