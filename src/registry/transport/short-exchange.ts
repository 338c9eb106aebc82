import { MinRate, type MinRateOptions } from "../http/min-rate.ts";
import { AnswerReader } from "./answer-reader.ts";
import { dumpBody } from "./dump-body.ts";
import type { ResponseBody, TransportRequest, TransportResponse } from "./exchange.ts";
import type { ResponseHead } from "./response-head.ts";

/** Of a body that nobody takes: then the socket rests. */
const MAX_QUEUED_BYTES = 256 * 1024;
const MAX_QUEUED_PARTS = 1024;

/** What an exchange needs of its connection. */
export interface ShortWire {
  /** Ends the connection. */
  destroy(fault: Error): void;
  /** Reads on, after `take` has said that it must rest. */
  resume(): void;
  /** The head has come, or an interim answer: another deadline counts. */
  onHead(isFinal: boolean): void;
}

/** One request, which is sent already, and its answer. */
export class ShortExchange {
  readonly #request: TransportRequest;
  readonly #wire: ShortWire;
  readonly #rate: MinRateOptions;
  readonly #resolve: (response: TransportResponse) => void;
  readonly #reject: (fault: unknown) => void;
  readonly reader: AnswerReader;
  /** Its head is there. */
  isAnswered = false;
  readonly #queue: Uint8Array[] = [];
  /** Of the read that is being taken. */
  readonly #fresh: Uint8Array[] = [];
  #queuedBytes = 0;
  #fault: { readonly error: unknown } | undefined;
  #pace: MinRate | undefined;
  /** Of the one who waits for the next part. */
  #wake: (() => void) | undefined;

  constructor(
    request: TransportRequest,
    wire: ShortWire,
    rate: MinRateOptions,
    resolve: (response: TransportResponse) => void,
    reject: (fault: unknown) => void,
  ) {
    this.#request = request;
    this.#wire = wire;
    this.#rate = rate;
    this.#resolve = resolve;
    this.#reject = reject;
    this.reader = new AnswerReader(request.method === "HEAD", {
      onHead: head => this.#onHead(head),
      onInterim: () => wire.onHead(false),
      onPart: part => this.#onPart(part),
    });
  }

  /** Takes bytes of the connection. @returns how many belong to the answer. @throws Error for what is no answer. */
  take(bytes: Uint8Array): number {
    try {
      return this.reader.take(bytes);
    } finally {
      this.#keepFresh();
      this.#wakeUp();
    }
  }

  /** Whether the body waits to be taken. */
  get isFull(): boolean {
    return this.#queuedBytes > MAX_QUEUED_BYTES || this.#queue.length > MAX_QUEUED_PARTS;
  }

  fail(error: unknown): void {
    if (this.#fault !== undefined) return;
    this.#fault = { error };
    this.#pace?.stop();
    if (!this.isAnswered) this.#reject(error);
    this.#wakeUp();
  }

  /** The connection has ended. @returns whether the answer is complete. */
  end(): boolean {
    const isComplete = this.reader.end();
    if (isComplete) this.#wakeUp();
    return isComplete;
  }

  #onHead(head: ResponseHead): void {
    this.isAnswered = true;
    this.#wire.onHead(true);
    const { url } = this.#request;
    this.#resolve({ url, status: head.status, headers: Object.fromEntries(head.headers), body: this.#body() });
  }

  #onPart(part: Uint8Array): void {
    if (part.length === 0) return;
    this.#fresh.push(part);
    this.#queuedBytes += part.length;
    this.#pace?.took(part.length);
  }

  /** The memory belongs to the connection. Of many chunks in one read, one part is made. */
  #keepFresh(): void {
    if (this.#fresh.length === 0) return;
    this.#queue.push(Buffer.concat(this.#fresh));
    this.#fresh.length = 0;
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #body(): ResponseBody {
    const parts: AsyncIterator<Uint8Array> = {
      next: async () => await this.#next(),
      return: async () => {
        if (!this.reader.isDone) this.#wire.destroy(new Error("the rest of the body is not wanted"));
        return { done: true, value: undefined };
      },
    };
    const body: ResponseBody = {
      [Symbol.asyncIterator]: () => parts,
      destroy: reason => this.#stop(reason),
      dump: async () => {
        if (!this.reader.isDone) await dumpBody(body, reason => this.#stop(reason));
        this.#queue.length = 0;
      },
    };
    return body;
  }

  /** Also when all of it is there, and was not taken yet. */
  #stop(reason: Error): void {
    if (this.reader.isDone) this.fail(reason);
    else this.#wire.destroy(reason);
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      if (this.#fault !== undefined) throw this.#fault.error;
      const part = this.#queue.shift();
      if (part !== undefined) {
        const wasFull = this.isFull;
        this.#queuedBytes -= part.length;
        if (wasFull && !this.isFull) this.#wire.resume();
        return { done: false, value: part };
      }
      if (this.reader.isDone) return { done: true, value: undefined };
      this.#pace ??= new MinRate(this.#rate, fault => this.#wire.destroy(fault));
      this.#pace.start();
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
      this.#pace.stop();
    }
  }
}
