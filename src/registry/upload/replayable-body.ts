import { InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";

/** A blob from its first byte on. Each part is valid until the next one is requested. */
export interface OpenedBody {
  readonly body: AsyncGenerator<Uint8Array, void>;
  /** Called when `body` has ended. */
  readonly descriptor: () => Descriptor;
}

/** Parts of a slow line (below 4 MiB/s), so that progress is seen; a fast one gets whole chunks, which cost less. */
const SLOW_PART_BYTES = 64 * 1024;
const SLOW_PART_MS = 16;

/** One reading. */
class Reading {
  readonly opened: OpenedBody;
  /** Read, but not sent yet. */
  part: Uint8Array | undefined;
  isEnded = false;
  /** Of the next byte. */
  position = 0;
  /** A failed request may still read. */
  isBusy = false;

  constructor(opened: OpenedBody) {
    this.opened = opened;
  }

  async peek(): Promise<Uint8Array | undefined> {
    while (!this.isEnded && (this.part === undefined || this.part.length === 0)) {
      const next = await this.opened.body.next();
      this.isEnded = next.done === true;
      this.part = next.value ?? undefined;
    }
    return this.part;
  }

  take(bytes: number): void {
    this.position += bytes;
    this.part = this.part?.subarray(bytes);
  }

  async *parts(onSent: ((bytes: number) => void) | undefined): AsyncGenerator<Uint8Array, void> {
    let partBytes = onSent === undefined ? Number.POSITIVE_INFINITY : SLOW_PART_BYTES;
    this.isBusy = true;
    for (let whole = await this.peek(); whole !== undefined; whole = await this.peek()) {
      const part = whole.subarray(0, partBytes);
      const sinceMs = performance.now();
      try {
        yield part;
      } finally {
        this.isBusy = false;
      }
      this.isBusy = true;
      this.take(part.length);
      if (onSent === undefined) continue;
      onSent(this.position);
      const isSlow = performance.now() - sinceMs > (SLOW_PART_MS * part.length) / SLOW_PART_BYTES;
      partBytes = isSlow ? SLOW_PART_BYTES : Number.POSITIVE_INFINITY;
    }
    this.isBusy = false;
  }
}

/** Bytes that can be sent from any offset. They are still read, or made, from the start, because only a whole can be checked. */
export class ReplayableBody implements AsyncDisposable {
  readonly #open: () => Promise<OpenedBody>;
  readonly #onSent: ((bytes: number) => void) | undefined;
  #reading: Reading | undefined;

  /** @param onSent gets the bytes that have been sent, counted from the first one; where it is absent, parts are as `open` gives them. */
  constructor(open: () => Promise<OpenedBody>, onSent?: (bytes: number) => void) {
    this.#open = open;
    this.#onSent = onSent;
  }

  /** @returns false when the body ends before `offset`. */
  async seek(offset: number): Promise<boolean> {
    if (this.#reading === undefined || this.#reading.isBusy || this.#reading.position !== offset) {
      await this[Symbol.asyncDispose]();
      this.#reading = new Reading(await this.#open());
    }
    const reading = this.#reading;
    while (reading.position < offset) {
      const part = await reading.peek();
      if (part === undefined) return false;
      reading.take(Math.min(part.length, offset - reading.position));
    }
    return true;
  }

  /** True when nothing is left, so all has been checked. */
  async isAtEnd(): Promise<boolean> {
    return (await this.#reading?.peek()) === undefined;
  }

  /** Everything from the last `seek` on. A part counts as sent when the next one is requested. */
  parts(): AsyncGenerator<Uint8Array, void> {
    if (this.#reading === undefined) throw new InternalError("Cannot send a blob before it was opened");
    return this.#reading.parts(this.#onSent);
  }

  descriptor(): Descriptor {
    if (this.#reading?.isEnded !== true) throw new InternalError("Cannot name a blob before its last byte");
    return this.#reading.opened.descriptor();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const reading = this.#reading;
    this.#reading = undefined;
    await reading?.opened.body.return();
  }
}
