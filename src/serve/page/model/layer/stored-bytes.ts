import { Readable } from "node:stream";

/**
 * The stored bytes of a layer, one part after the other. A decoder may end before them; the rest can be read after it, so
 * that the digest of all of them is checked.
 */
export class StoredBytes {
  /** What the source threw. */
  #fault: { readonly error: unknown } | undefined;
  readonly #parts: AsyncIterator<Uint8Array>;
  #front: Uint8Array | undefined;

  /** @param chunks each valid until the one after the next is requested. */
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#parts = chunks[Symbol.asyncIterator]();
  }

  /** The next part, with memory of its own; undefined at the end. @throws what the source throws. */
  async next(): Promise<Uint8Array | undefined> {
    const front = this.#front;
    this.#front = undefined;
    if (front !== undefined) return front;
    try {
      const { done, value } = await this.#parts.next();
      return done === true ? undefined : Uint8Array.from(value);
    } catch (error) {
      this.#fault ??= { error };
      throw error;
    }
  }

  /** The next bytes, at least `count` of them if there are so many; they are still to be read. */
  async peek(count: number): Promise<Uint8Array> {
    let start: Uint8Array = new Uint8Array(0);
    while (start.length < count) {
      const part = await this.next();
      if (part === undefined) break;
      start = start.length === 0 ? part : Buffer.concat([start, part]);
    }
    this.#front = start.length > 0 ? start : undefined;
    return start;
  }

  /** For a decoder, which may destroy it: the source stays open. */
  readable(): Readable {
    const read = (stream: Readable): void => {
      this.next().then(
        part => void stream.push(part ?? null),
        (error: Error) => void stream.destroy(error),
      );
    };
    return new Readable({
      highWaterMark: 1,
      read() {
        read(this);
      },
    });
  }

  /** Reads to the end, or while `isAllowed`. @returns whether that is the end. @throws what the source throws. */
  async drain(isAllowed: () => boolean): Promise<boolean> {
    while (isAllowed()) if ((await this.next()) === undefined) return true;
    return false;
  }

  /** @throws what the source threw, whatever a decoder made of it. */
  throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  async close(): Promise<void> {
    await this.#parts.return?.();
  }
}
