/** The bytes from the start of a blob that are in the file without a hole, while its chunks come in any order. */
export class WrittenPrefix {
  #bytes: number;
  readonly #ahead = new Map<number, number>();

  /** @param bytes in the file already. */
  constructor(bytes = 0) {
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns true if the prefix grew. */
  add(position: number, length: number): boolean {
    if (position > this.#bytes) {
      this.#ahead.set(position, Math.max(length, this.#ahead.get(position) ?? 0));
      return false;
    }
    const before = this.#bytes;
    this.#bytes = Math.max(before, position + length);
    for (let next = this.#ahead.get(this.#bytes); next !== undefined; next = this.#ahead.get(this.#bytes)) {
      this.#ahead.delete(this.#bytes);
      this.#bytes += next;
    }
    return this.#bytes > before;
  }
}
