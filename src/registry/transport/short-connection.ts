import type { LookupFunction, Socket } from "node:net";
import { MAX_PAUSES, STOOD_STILL_MS } from "../../util/time/deadline.ts";
import { lastChance, lateFault } from "../../util/time/last-chance.ts";
import type { TransportOptions } from "../http/tls-options.ts";
import type { TlsSessions } from "../origin/tls-sessions.ts";
import { COMMIT_FACTOR, type TransportRequest, type TransportResponse } from "./exchange.ts";
import { HEAD_MS } from "./limit-answer.ts";
import { limitConnecting } from "./limit-connecting.ts";
import { openSocket } from "./open-socket.ts";
import { requestHead } from "./request-head.ts";
import { ShortExchange } from "./short-exchange.ts";

/** Manifests and lists come in one read, or in two. */
const READ_BYTES = 16 * 1024;

/** What connections of one owner have in common. */
export interface ShortUse {
  readonly lookup: LookupFunction;
  readonly idleMs: number;
  /** Called when it can carry the next request. */
  readonly onFree: (connection: ShortConnection) => void;
  readonly sessions: TlsSessions | undefined;
}

/**
 * One keep-alive connection for requests whose bodies are short and in memory: it costs less than half of the CPU of Node's client,
 * which has streams and timers of its own for each request.
 */
export class ShortConnection {
  readonly #socket: Socket;
  readonly #options: TransportOptions;
  readonly #idleMs: number;
  readonly #onFree: (connection: ShortConnection) => void;
  #exchange: ShortExchange | undefined;
  /** One for all requests; it looks at the deadline when it is over. */
  #timer: NodeJS.Timeout | undefined;
  /** Of `performance.now()`: the next byte must come, or the head be complete. */
  #deadline = 0;
  /** Milliseconds from the beginning of the wait to the deadline. */
  #waitMs = 0;
  #timerAt = 0;
  /** Times in which the process stood still, of this request. */
  #pauses = 0;
  /** Of the whole head of the answer, however many interim answers come. */
  #answerBy = 0;
  /** Of the answer's head, some has come. */
  #isHeadBegun = false;
  #isPaused = false;
  /** Stops listening to the signal of the request. */
  #leave: (() => void) | undefined;
  #fault: Error | undefined;
  /** Of `performance.now()`: later, the server will have closed it. */
  #usableUntil = Number.POSITIVE_INFINITY;
  /** A byte came since the last request. */
  isHeard = false;

  constructor(url: URL, options: TransportOptions, { lookup, idleMs, onFree, sessions }: ShortUse) {
    this.#options = options;
    this.#idleMs = idleMs;
    this.#onFree = onFree;
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (bytes: number, target: Uint8Array): boolean => this.#onRead(target.subarray(0, bytes));
    this.#socket = openSocket(url, options, lookup, { buffer, callback }, sessions);
    limitConnecting(this.#socket, fault => this.destroy(fault));
    this.#socket.on("error", error => this.destroy(error));
    this.#socket.on("close", () => this.#onClose());
  }

  /** False once it cannot carry another request. */
  get isUsable(): boolean {
    return this.#fault === undefined && this.#socket.writable && performance.now() < this.#usableUntil;
  }

  /** Sends one request when the one before has ended. @throws what the connection fails with. */
  async send(request: TransportRequest): Promise<TransportResponse> {
    const head = requestHead(request);
    const { method, body, signal } = request;
    return await new Promise<TransportResponse>((resolve, reject) => {
      if (this.#fault !== undefined) return reject(this.#fault);
      const { minRate } = this.#options;
      const stop = (): void => {
        const fault = new Error("the request was stopped", { cause: signal?.reason });
        this.destroy(Object.assign(fault, { code: "ABORT_ERR" }));
      };
      this.#exchange = new ShortExchange(
        request,
        {
          destroy: fault => this.destroy(fault),
          resume: () => this.#resume(),
          onHead: isFinal => this.#onHead(isFinal),
        },
        { minRate, idleMs: this.#idleMs },
        resolve,
        reject,
      );
      signal?.addEventListener("abort", stop, { once: true });
      this.#leave = () => signal?.removeEventListener("abort", stop);
      this.#socket.ref();
      const waitMs = method === "GET" || method === "HEAD" ? this.#idleMs : this.#idleMs * COMMIT_FACTOR;
      this.#answerBy = performance.now() + waitMs;
      this.#isHeadBegun = false;
      this.isHeard = false;
      this.#pauses = 0;
      this.#limit(waitMs);
      if (body instanceof Uint8Array && body.length > 0) {
        this.#socket.cork();
        this.#socket.write(head, "latin1");
        this.#socket.write(body);
        this.#socket.uncork();
      } else this.#socket.write(head, "latin1");
    });
  }

  /** Ends it, and the request that it carries. */
  destroy(fault: Error): void {
    this.#fault ??= fault;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket.destroy();
    this.#take()?.fail(this.#fault);
  }

  /** Ends its part in the exchange. */
  #take(): ShortExchange | undefined {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#leave?.();
    this.#leave = undefined;
    return exchange;
  }

  #onClose(): void {
    if (this.#exchange?.end() === true) this.#take();
    this.destroy(Object.assign(new Error("the connection was closed early"), { code: "ECONNRESET" }));
  }

  /** @returns false while the body waits to be taken. */
  #onRead(part: Uint8Array): boolean {
    const exchange = this.#exchange;
    this.isHeard = true;
    if (exchange === undefined) {
      this.destroy(new Error("bytes came that nothing had asked for"));
      return true;
    }
    try {
      const taken = exchange.take(part);
      if (exchange.reader.isDone) this.#release(exchange, taken === part.length);
      else this.#wait(exchange);
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error("no answer", { cause: error }));
    }
    this.#isPaused = exchange.isFull && this.#exchange === exchange;
    return !this.#isPaused;
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#limit(this.#idleMs);
    this.#socket.resume();
  }

  #onHead(isFinal: boolean): void {
    if (!isFinal) this.#deadline = this.#answerBy;
    this.#isHeadBegun = false;
  }

  /** Sets the deadline for what comes next. */
  #wait({ reader, isAnswered }: ShortExchange): void {
    if (isAnswered) this.#limit(this.#idleMs);
    // Interim answers, and headers that drip, are no progress.
    else if (reader.isInHead && !this.#isHeadBegun) {
      this.#isHeadBegun = true;
      this.#limit(Math.min(this.#answerBy - performance.now(), HEAD_MS));
    }
  }

  #release(exchange: ShortExchange, isAll: boolean): void {
    this.#take();
    // Bytes after the answer, or an answer before the end of the request: nothing else may use this connection.
    if (!exchange.reader.keepsConnection || !isAll || this.#socket.writableLength > 0) {
      this.destroy(new Error("the connection was ended"));
      return;
    }
    this.#usableUntil = performance.now() + exchange.reader.keepMs;
    this.#socket.unref();
    this.#onFree(this);
  }

  #limit(ms: number): void {
    this.#waitMs = ms;
    this.#deadline = performance.now() + ms;
    if (this.#timer !== undefined && this.#timerAt <= this.#deadline) return;
    clearTimeout(this.#timer);
    this.#wakeAt(this.#deadline);
  }

  #wakeAt(time: number): void {
    this.#timerAt = time;
    this.#timer = setTimeout(this.#onTimer, Math.max(1, time - performance.now()));
    // The socket keeps the process, as long as it carries a request.
    this.#timer.unref();
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    if (this.#exchange === undefined) return;
    const now = performance.now();
    if (now < this.#deadline) {
      this.#wakeAt(this.#deadline);
      return;
    }
    const hasStoodStill = now - this.#timerAt > STOOD_STILL_MS && this.#pauses < MAX_PAUSES;
    if (hasStoodStill) {
      this.#pauses += 1;
      this.#answerBy = Math.max(this.#answerBy, now + this.#waitMs);
    }
    // Then nothing could come. Or the reader of the body is slow, not the server.
    if (hasStoodStill || this.#isPaused) {
      this.#limit(this.#isPaused ? this.#idleMs : this.#waitMs);
      return;
    }
    const exchange = this.#exchange;
    const progress = (): number => {
      if (this.#exchange !== exchange) return -1;
      return exchange.isAnswered ? 1 + this.#socket.bytesRead : 0;
    };
    lastChance(progress, () => this.destroy(lateFault("no byte came in time")));
  };
}
