import type { Readable } from "node:stream";
import { ArchiveError } from "../errors.ts";
import { damaged, MAX_PADDING_BYTES, truncated, type Wording } from "./compressed-data.ts";

/**
 * Reads a stream in runs of bytes as long as a decoder needs, independent of the parts that the source delivers. `data`,
 * `at` and `end` are public for the inner loops of the decoders.
 */
export class ByteReader {
  /** Valid up to `end`; every `offer` and `fill` can replace it. */
  data: Uint8Array = new Uint8Array(0);
  /** Position of the next byte in `data`; decoders advance it. */
  at = 0;
  end = 0;
  readonly #parts: AsyncIterator<Uint8Array>;
  readonly #words: Wording;
  readonly #what: string;
  /** Offset in the stream of data[0]. */
  #base = 0;
  #isEnded = false;
  #store: Uint8Array = new Uint8Array(0);

  constructor(source: Readable, words: Wording, what: string) {
    this.#parts = (source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    this.#words = words;
    this.#what = what;
  }

  /** Bytes consumed so far. */
  get position(): number {
    return this.#base + this.at;
  }

  has(count: number): boolean {
    return this.end - this.at >= count;
  }

  /** Makes the next `count` bytes available. @returns false if the stream ends before. */
  async offer(count: number): Promise<boolean> {
    while (!this.has(count) && !this.#isEnded) {
      const next = await this.#parts.next();
      if (next.done === true) this.#isEnded = true;
      else this.#append(next.value, count);
    }
    return this.has(count);
  }

  /** Makes the next `count` bytes available. @throws ArchiveError "truncated-…" if the stream ends before. */
  async fill(count: number): Promise<void> {
    if (!this.has(count) && !(await this.offer(count))) throw this.truncated();
  }

  /** Consumes the next `count` bytes; they are valid until the next call. */
  async take(count: number): Promise<Uint8Array> {
    if (!this.has(count)) await this.fill(count);
    this.at += count;
    return this.data.subarray(this.at - count, this.at);
  }

  /** Consumes any number of bytes without keeping them. */
  async skip(count: number): Promise<void> {
    let left = count;
    while (left > 0) {
      await this.fill(1);
      const step = Math.min(left, this.end - this.at);
      this.at += step;
      left -= step;
    }
  }

  /** Consumes the magic. @throws ArchiveError for a stream that ends in it, or for other bytes. */
  async expect(magic: readonly number[]): Promise<void> {
    await this.offer(magic.length);
    for (const byte of magic) {
      if (this.at >= this.end) throw this.truncated();
      if (this.data[this.at] !== byte) throw this.damaged("unknown magic bytes");
      this.at += 1;
    }
  }

  /** After a unit: whether another unit follows. Zeros up to the end of the stream are allowed instead. */
  async hasMore(): Promise<boolean> {
    if (!(await this.offer(1))) return false;
    if (this.data[this.at] !== 0) return true;
    const limit = this.position + MAX_PADDING_BYTES;
    while (await this.offer(1)) {
      for (; this.at < this.end; this.at += 1) {
        if (this.data[this.at] !== 0) throw this.damaged("data after trailing zeros");
      }
      if (this.position > limit) throw this.damaged("too many trailing zeros");
    }
    return false;
  }

  truncated(): ArchiveError {
    return truncated(this.#words, this.#what, this.#base + this.end);
  }

  /** @param detail message of the cause. */
  damaged(detail: string): ArchiveError {
    return damaged(this.#words, this.#what, this.position, new Error(detail));
  }

  /** @param state the state found and the state expected, for the message. */
  unsupported(reason: string, state: string, hint: string): ArchiveError {
    return new ArchiveError(reason, `Cannot read ${this.#what}: ${state}`, { hint });
  }

  #append(part: Uint8Array, wanted: number): void {
    const kept = this.end - this.at;
    this.#base += this.at;
    if (kept === 0) {
      this.data = part;
      this.at = 0;
      this.end = part.length;
      return;
    }
    const needed = kept + part.length;
    // Room for all requested bytes at once, so that many small parts are not moved repeatedly.
    if (this.#store.length < needed) this.#store = new Uint8Array(Math.max(needed, wanted * 2));
    else if (this.data === this.#store && this.end + part.length <= this.#store.length) {
      this.#base -= this.at;
      this.#store.set(part, this.end);
      this.end += part.length;
      return;
    }
    const from = this.data.subarray(this.at, this.end);
    if (this.data === this.#store) this.#store.copyWithin(0, this.at, this.end);
    else this.#store.set(from);
    this.#store.set(part, kept);
    this.data = this.#store;
    this.at = 0;
    this.end = needed;
  }
}
