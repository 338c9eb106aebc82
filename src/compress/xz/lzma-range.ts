/** The range decoder of LZMA: decodes bits with adaptive probabilities. */
export class LzmaRange {
  readonly #probabilities: Uint16Array;
  #data: Uint8Array = new Uint8Array(0);
  #at = 0;
  #range = 0;
  #code = 0;

  constructor(probabilities: number) {
    this.#probabilities = new Uint16Array(probabilities);
  }

  reset(): void {
    this.#probabilities.fill(1024);
  }

  /** @returns false if the start of the chunk is invalid. */
  begin(chunk: Uint8Array): boolean {
    const [zero = 1, first = 0, second = 0, third = 0, fourth = 0] = chunk;
    this.#data = chunk;
    this.#at = 5;
    this.#range = -1;
    this.#code = (first << 24) | (second << 16) | (third << 8) | fourth;
    return chunk.length >= 5 && zero === 0;
  }

  /** @returns whether all bytes are used and the decoder is in its final state. */
  end(): boolean {
    this.#normalize();
    return this.#at === this.#data.length && this.#code === 0;
  }

  #normalize(): void {
    if (this.#range >>> 24 === 0) {
      this.#range <<= 8;
      // Zeros follow the end of the chunk; `end` checks the length.
      this.#code = (this.#code << 8) | (this.#data[this.#at] ?? 0);
      this.#at += 1;
    }
  }

  /** Decodes one bit with the probability at `index`. */
  bit(index: number): 0 | 1 {
    this.#normalize();
    const probability = this.#probabilities[index] as number;
    const bound = Math.imul(this.#range >>> 11, probability);
    if (this.#code >>> 0 < bound >>> 0) {
      this.#range = bound;
      this.#probabilities[index] = probability + ((2048 - probability) >>> 5);
      return 0;
    }
    this.#range = (this.#range - bound) | 0;
    this.#code = (this.#code - bound) | 0;
    this.#probabilities[index] = probability - (probability >>> 5);
    return 1;
  }

  /**
   * Decodes as many bits as `end` has trailing zeros, highest first. The hot path: fields are copied into variables.
   *
   * @returns the bits, after a leading 1.
   */
  tree(start: number, end: number): number {
    const probabilities = this.#probabilities;
    const data = this.#data;
    let range = this.#range;
    let code = this.#code;
    let at = this.#at;
    let symbol = 1;
    while (symbol < end) {
      if (range >>> 24 === 0) {
        range <<= 8;
        code = (code << 8) | (data[at] ?? 0);
        at += 1;
      }
      const index = start + symbol;
      const probability = probabilities[index] as number;
      const bound = Math.imul(range >>> 11, probability);
      if (code >>> 0 < bound >>> 0) {
        range = bound;
        probabilities[index] = probability + ((2048 - probability) >>> 5);
        symbol <<= 1;
      } else {
        range = (range - bound) | 0;
        code = (code - bound) | 0;
        probabilities[index] = probability - (probability >>> 5);
        symbol = (symbol << 1) | 1;
      }
    }
    this.#range = range;
    this.#code = code;
    this.#at = at;
    return symbol;
  }

  /** Decodes `bits` bits, lowest first. */
  reverseTree(start: number, bits: number): number {
    let node = 1;
    let symbol = 0;
    for (let bit = 0; bit < bits; bit += 1) {
      const next = this.bit(start + node);
      node = (node << 1) | next;
      symbol |= next << bit;
    }
    return symbol;
  }

  /** Decodes bits with equal probabilities. */
  direct(bits: number): number {
    let range = this.#range;
    let code = this.#code;
    let value = 0;
    for (let left = bits; left > 0; left -= 1) {
      if (range >>> 24 === 0) {
        range <<= 8;
        code = (code << 8) | (this.#data[this.#at] ?? 0);
        this.#at += 1;
      }
      range >>>= 1;
      value <<= 1;
      if (code >>> 0 >= range) {
        code = (code - range) | 0;
        value |= 1;
      }
    }
    this.#range = range | 0;
    this.#code = code;
    return value;
  }
}
