import type { LookupFunction, Socket } from "node:net";
import { NetworkError } from "../../errors.ts";
import { startDeadline } from "../../util/time/deadline.ts";
import { lastChance, lateFault } from "../../util/time/last-chance.ts";
import { MinRate } from "../http/min-rate.ts";
import type { TransportOptions } from "../http/tls-options.ts";
import type { TlsSessions } from "../origin/tls-sessions.ts";
import { type ByteTaker, SKIP } from "./byte-taker.ts";
import { HEAD_MS } from "./limit-answer.ts";
import { openSocket } from "./open-socket.ts";
import { parseResponseHead, type ResponseHead } from "./response-head.ts";

/** For heads, and for what comes while the taker has no room. TLS never hands out more at once. */
const READ_BYTES = 16 * 1024;
const MAX_HEAD_BYTES = 32 * 1024;
const IDLE_MS = 120_000;
/** A body that is not wanted costs less than a new connection up to here. */
const SKIP_BYTES = 16 * 1024;

/** Says after the head whether the body is wanted. */
export type AcceptHead = (head: ResponseHead) => boolean;

interface Exchange {
  readonly accept: AcceptHead;
  taker: ByteTaker;
  readonly resolve: (head: ResponseHead) => void;
  readonly reject: (error: unknown) => void;
  head: ResponseHead | undefined;
  headBytes: Buffer;
  remaining: number;
}

/**
 * One keep-alive connection for GETs with big bodies of known length and no encoding. Reads go straight into the memory of
 * the taker, which costs a fraction of the CPU of a stream that allocates each part. Everything else is the transport's
 * work.
 */
export class BulkConnection {
  readonly #socket: Socket;
  readonly #idleMs: number;
  readonly #minRate: number | undefined;
  /** Until the head is complete. */
  #endHeadWait: () => void = () => undefined;
  #pace: MinRate | undefined;
  #exchange: Exchange | undefined;
  #fault: unknown;
  /** Until the taker is ready again; never rejects. */
  #taking: Promise<void> | undefined;
  /** Parts that came meanwhile: TLS hands out all it has decrypted, also after a pause. */
  readonly #queue: Uint8Array[] = [];
  /** False once it cannot carry another request. */
  usable = true;

  constructor(
    url: URL,
    options: TransportOptions,
    lookup?: LookupFunction,
    idleMs: number = IDLE_MS,
    sessions?: TlsSessions,
  ) {
    this.#idleMs = idleMs;
    this.#minRate = options.minRate;
    const isTls = url.protocol === "https:";
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    // TLS, and Windows, may still fill a buffer after the connection was destroyed, so they get no memory that is used again.
    const isDirect = !isTls && process.platform !== "win32";
    const nextBuffer = (): Uint8Array => {
      if (this.#taking !== undefined) return Buffer.allocUnsafeSlow(READ_BYTES);
      const isBody = isDirect && this.#exchange?.head !== undefined;
      return (isBody ? this.#exchange?.taker.room?.() : undefined) ?? buffer;
    };
    const callback = (bytes: number, target: Uint8Array): boolean => this.#onRead(target.subarray(0, bytes));
    this.#socket = openSocket(url, options, lookup, { buffer: nextBuffer, callback }, sessions);
    this.#socket.setTimeout(idleMs).on("timeout", this.#onLate);
    this.#socket.on("error", error => this.#onClose(error));
    this.#socket.on("close", () => this.#onClose(new Error("the connection was closed early")));
  }

  /**
   * Sends one GET. Resolves when the body has been taken, or with the head alone when `accept` does not want the body.
   *
   * @throws NetworkError (transient) when the connection breaks before the end of the body; `taker` has settled by then.
   */
  async get(
    path: string,
    headers: Readonly<Record<string, string>>,
    accept: AcceptHead,
    taker: ByteTaker,
  ): Promise<ResponseHead> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return await new Promise((resolve, reject) => {
      if (this.#fault !== undefined) {
        reject(this.#error());
        return;
      }
      this.#exchange = { accept, taker, resolve, reject, head: undefined, headBytes: Buffer.alloc(0), remaining: 0 };
      this.#socket.ref();
      this.#endHeadWait = startDeadline(this.#idleMs, this.#failLate);
      this.#socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    });
  }

  destroy(reason?: unknown): void {
    this.#fail(reason ?? new Error("the connection was ended"));
  }

  readonly #onLate = (): void => lastChance(() => this.#socket.bytesRead, this.#failLate);
  readonly #failLate = (): void => this.#fail(lateFault(`no byte came for ${this.#idleMs / 1000} seconds`));

  #onClose(fault: Error): void {
    const isComplete = this.#exchange?.head !== undefined && this.#exchange.remaining === 0;
    if (!isComplete) this.#fail(fault);
    // The whole body is here, some of it still on its way to the taker.
    this.#fault ??= fault;
    this.usable = false;
  }

  #onRead(part: Uint8Array): boolean {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.#fail(new Error("bytes came that nothing had asked for"));
      return true;
    }
    try {
      return exchange.head === undefined ? this.#readHead(exchange, part) : this.#readBody(exchange, part);
    } catch (error) {
      this.#fail(error);
      return true;
    }
  }

  #readHead(exchange: Exchange, part: Uint8Array): boolean {
    if (exchange.headBytes.length === 0) {
      this.#endHeadWait();
      this.#endHeadWait = startDeadline(HEAD_MS, this.#failLate);
    }
    exchange.headBytes = Buffer.concat([exchange.headBytes, part]);
    const end = exchange.headBytes.indexOf("\r\n\r\n");
    if (end > MAX_HEAD_BYTES || (end < 0 && exchange.headBytes.length > MAX_HEAD_BYTES))
      throw new Error(`response headers exceed ${MAX_HEAD_BYTES} bytes`);
    if (end < 0) return true;
    this.#endHeadWait();
    const head = parseResponseHead(exchange.headBytes.subarray(0, end + 2));
    const length = head.contentLength;
    const isWanted = exchange.accept(head);
    if (length === undefined || (!isWanted && (length > SKIP_BYTES || hasNoBody(head)))) {
      this.#exchange = undefined;
      this.#fail(new Error("the body was not wanted"));
      exchange.resolve(head);
      return true;
    }
    if (!isWanted) exchange.taker = SKIP;
    exchange.head = head;
    exchange.remaining = length;
    const rest = exchange.headBytes.subarray(end + 4);
    exchange.headBytes = Buffer.alloc(0);
    this.#pace = new MinRate({ minRate: this.#minRate, idleMs: this.#idleMs }, fault => this.#fail(fault));
    this.#pace.start();
    return this.#readBody(exchange, rest);
  }

  #readBody(exchange: Exchange, part: Uint8Array): boolean {
    if (part.length > exchange.remaining) throw new Error("more bytes came than Content-Length announced");
    exchange.remaining -= part.length;
    this.#pace?.took(part.length);
    if (this.#taking !== undefined) {
      this.#queue.push(part);
      return false;
    }
    const waiting = part.length === 0 ? undefined : exchange.taker.take(part);
    if (waiting === undefined) {
      this.#endIfComplete(exchange);
      return true;
    }
    // It is the taker that is slow now, not the server.
    this.#socket.setTimeout(0);
    this.#pace?.stop();
    this.#taking = this.#takeQueued(exchange, waiting);
    return false;
  }

  async #takeQueued(exchange: Exchange, waiting: Promise<void>): Promise<void> {
    try {
      await waiting;
      for (let part = this.#queue.shift(); part !== undefined; part = this.#queue.shift())
        await exchange.taker.take(part);
    } catch (error) {
      this.#fail(error);
    }
    this.#taking = undefined;
    if (this.#exchange !== exchange) return;
    this.#endIfComplete(exchange);
    if (!this.usable) return;
    this.#socket.setTimeout(this.#idleMs);
    // After the last byte, nobody waits for the server.
    if (this.#exchange !== undefined) this.#pace?.start();
    this.#socket.resume();
  }

  #endIfComplete(exchange: Exchange): void {
    if (exchange.remaining > 0 || exchange.head === undefined || this.#exchange !== exchange) return;
    this.#exchange = undefined;
    this.#pace?.stop();
    if (exchange.head.keepAlive && this.usable) this.#socket.unref();
    else this.#fail(new Error("the server keeps no connection"));
    exchange.resolve(exchange.head);
  }

  #fail(fault: unknown): void {
    this.#fault ??= fault;
    this.usable = false;
    this.#queue.length = 0;
    this.#pace?.stop();
    this.#endHeadWait();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#socket.destroy();
    if (exchange === undefined) return;
    const reject = (): void => exchange.reject(this.#error());
    // A retry must not overlap with a part of this attempt that is still being taken.
    if (this.#taking === undefined) reject();
    else void this.#taking.then(reject);
  }

  #error(): unknown {
    const fault = this.#fault;
    if (!(fault instanceof Error) || "code" in fault || fault.constructor !== Error) return fault;
    return new NetworkError(
      `Cannot read from ${this.#socket.remoteAddress ?? "registry"}: ${fault.message}, expected a whole body`,
      {
        cause: fault,
        transient: true,
      },
    );
  }
}

function hasNoBody({ status }: ResponseHead): boolean {
  return status < 200 || status === 204 || status === 304;
}
