import type { ArchiveError } from "../../errors.ts";
import type { ByteReader } from "../byte-reader.ts";

/**
 * Reads the bits of a bzip2 stream, highest first. Zeros follow the end of the data: call `ensure` before a run of reads and
 * `checkEnd` after it.
 */
export class Bzip2Bits {
  readonly #input: ByteReader;
  /** Its lowest `#count` bits are not read yet. */
  #bits = 0;
  #count = 0;

  constructor(input: ByteReader) {
    this.#input = input;
  }

  /** Waits until the next `bytes` are available, or the stream has ended. */
  async ensure(bytes: number): Promise<void> {
    if (this.#input.has(bytes)) return;
    this.checkEnd();
    this.giveBack();
    await this.#input.offer(bytes + 1);
  }

  isReady(bytes: number): boolean {
    return this.#input.has(bytes);
  }

  /** @param count at most 24. */
  take(count: number): number {
    const bits = this.peek(count);
    this.#count -= count;
    return bits;
  }

  take32(): number {
    return this.take(16) * 0x10000 + this.take(16);
  }

  /** @param count 1 to 24. */
  peek(count: number): number {
    while (this.#count <= 24) {
      this.#bits = (this.#bits << 8) | (this.#input.data[this.#input.at] ?? 0);
      this.#input.at += 1;
      this.#count += 8;
    }
    return (this.#bits >>> (this.#count - count)) & ((1 << count) - 1);
  }

  drop(count: number): void {
    this.#count -= count;
  }

  /** Returns bytes that were read ahead to the input, so that its position is exact. */
  giveBack(): void {
    const bytes = this.#count >> 3;
    this.#input.at -= bytes;
    // A shift by 32 has no effect, but then no bit is left.
    this.#bits >>>= bytes * 8;
    this.#count &= 7;
  }

  alignToByte(): void {
    this.giveBack();
    this.#count = 0;
  }

  /** @throws ArchiveError "truncated-bzip2" if bits after the end of the stream were read. */
  checkEnd(): void {
    if (this.#isPastEnd()) throw this.#input.truncated();
  }

  damaged(detail: string): ArchiveError {
    return this.#isPastEnd() ? this.#input.truncated() : this.#input.damaged(detail);
  }

  #isPastEnd(): boolean {
    return this.#input.at - (this.#count >> 3) > this.#input.end;
  }
}
