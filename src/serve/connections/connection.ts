import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Time for the head of a request, and before that for the handshake of TLS. */
const MAX_HEAD_MS = 10_000;
/** Bytes per second of a body, in either direction. */
const MIN_CLIENT_RATE = 1024;
/** How long a body may be slower. */
const MAX_SLOW_MS = 120_000;

/** A request that is being answered. */
export interface CurrentRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly since: number;
}

/** What the table knows of one connection. Times are in milliseconds. */
export class Connection {
  /** Where requests come from: the connection itself, or the TLS in it. */
  socket: Socket;
  /** Undefined while it has a request. */
  idleSince: number | undefined;
  current: CurrentRequest | undefined;
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
  /** Since when it sends the head of a request, or the handshake. */
  #headSince: number | undefined;
  /** As counted when it became idle. */
  #received = 0;
  /** As counted at the last measuring. */
  #moved = 0;

  constructor(socket: Socket, now: number) {
    this.socket = socket;
    this.idleSince = now;
    this.#headSince = now;
  }

  /** The server waits for the client to send or to take a body. */
  get isClientsTurn(): boolean {
    if (this.current === undefined || this.isInLine) return false;
    return !this.current.request.complete || this.current.response.headersSent;
  }

  begin(current: CurrentRequest): void {
    this.idleSince = undefined;
    this.#headSince = undefined;
    this.current = current;
  }

  end(now: number): void {
    this.requests -= 1;
    this.current = undefined;
    this.slowSince = undefined;
    this.idleSince = now;
    this.#received = this.socket.bytesRead;
  }

  /** Measures how much has moved since the time `last`. @returns whether it has been too slow for too long. */
  isOverdue(now: number, last: number): boolean {
    const { bytesRead, bytesWritten } = this.socket;
    const moved = bytesRead + bytesWritten - this.#moved;
    this.#moved += moved;
    if (this.current === undefined) {
      // What comes while it is idle is the head of a request.
      if (bytesRead > this.#received) this.#headSince ??= last;
      return now - (this.#headSince ?? now) >= MAX_HEAD_MS;
    }
    const isSlow = this.isClientsTurn && moved < ((now - last) / 1000) * MIN_CLIENT_RATE;
    if (!isSlow) this.slowSince = undefined;
    else if (this.current.since <= last) this.slowSince ??= last;
    return now - (this.slowSince ?? now) >= MAX_SLOW_MS;
  }
}
