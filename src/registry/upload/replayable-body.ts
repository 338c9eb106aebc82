import { InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";

/** A blob's bytes from the first one on. Each part is good until the next one is asked for. */
export interface OpenedBody {
  readonly body: AsyncGenerator<Uint8Array, void>;
  /** Asked when `body` has ended. */
  readonly descriptor: () => Descriptor;
}

/** One reading. */
class Reading {
  readonly opened: OpenedBody;
  /** Read, and not taken yet. */
  part: Uint8Array | undefined;
  isEnded = false;
  /** Of the next byte. */
  position = 0;
  /** A request that failed may still ask for more. */
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

  async *parts(): AsyncGenerator<Uint8Array, void> {
    this.isBusy = true;
    for (let part = await this.peek(); part !== undefined; part = await this.peek()) {
      try {
        yield part;
      } finally {
        this.isBusy = false;
      }
      this.isBusy = true;
      this.take(part.length);
    }
    this.isBusy = false;
  }
}

/**
 * Bytes to be sent from any place on. They are read, or made, from the beginning nevertheless, because only the whole can
 * be checked.
 */
export class ReplayedBody implements AsyncDisposable {
  readonly #open: () => Promise<OpenedBody>;
  #reading: Reading | undefined;

  constructor(open: () => Promise<OpenedBody>) {
    this.#open = open;
  }

  /** @returns false when it ends before that. */
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

  /** Whether nothing is left, and all has been checked. */
  async isAtEnd(): Promise<boolean> {
    return (await this.#reading?.peek()) === undefined;
  }

  /** All from the place of the last `seek` on. What was yielded counts as taken when more is asked for. */
  parts(): AsyncGenerator<Uint8Array, void> {
    if (this.#reading === undefined) throw new InternalError("Cannot send a blob before it was opened");
    return this.#reading.parts();
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
