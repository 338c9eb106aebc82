import type { Bzip2Bits } from "./bzip2-bits.ts";

export const LONGEST_CODE = 20;
const FAST_BITS = 10;

/** A canonical Huffman code: shorter codes first, then by symbol. */
export class Bzip2Code {
  /** Indexed by the next bits: symbol × 32 + length, or 0 if the code is longer. */
  readonly #fast = new Uint16Array(1 << FAST_BITS);
  /** For each length: the first code that is longer, aligned to the maximum length. */
  readonly #limits = new Uint32Array(LONGEST_CODE + 1);
  /** For each length: what to add to a code to get its index in `#symbols`. */
  readonly #offsets = new Int32Array(LONGEST_CODE + 1);
  readonly #symbols: Uint16Array;

  private constructor(lengths: Uint8Array, bits: Bzip2Bits) {
    this.#symbols = new Uint16Array(lengths.length);
    let code = 0;
    let index = 0;
    for (let length = 1; length <= LONGEST_CODE; length += 1) {
      this.#offsets[length] = index - code;
      for (let symbol = 0; symbol < lengths.length; symbol += 1) {
        if (lengths[symbol] !== length) continue;
        this.#symbols[index] = symbol;
        index += 1;
        if (length <= FAST_BITS) {
          const start = code << (FAST_BITS - length);
          this.#fast.fill(symbol * 32 + length, start, start + (1 << (FAST_BITS - length)));
        }
        code += 1;
      }
      if (code > 2 ** length) throw bits.damaged("an impossible code");
      this.#limits[length] = code << (LONGEST_CODE - length);
      code *= 2;
    }
  }

  static async read(bits: Bzip2Bits, symbols: number): Promise<Bzip2Code> {
    const lengths = new Uint8Array(symbols);
    if (!bits.isReady(4)) await bits.ensure(4);
    let length = bits.take(5);
    for (let symbol = 0; symbol < symbols; symbol += 1) {
      for (;;) {
        if (length < 1 || length > LONGEST_CODE) throw bits.damaged("an impossible code length");
        if (!bits.isReady(4)) await bits.ensure(4);
        if (bits.take(1) === 0) break;
        length += bits.take(1) === 0 ? 1 : -1;
      }
      lengths[symbol] = length;
    }
    return new Bzip2Code(lengths, bits);
  }

  next(bits: Bzip2Bits): number {
    const ahead = bits.peek(LONGEST_CODE);
    const fast = this.#fast[ahead >>> (LONGEST_CODE - FAST_BITS)] as number;
    if (fast !== 0) {
      bits.drop(fast & 31);
      return fast >>> 5;
    }
    let length = FAST_BITS + 1;
    while (length <= LONGEST_CODE && ahead >= (this.#limits[length] as number)) length += 1;
    if (length > LONGEST_CODE) throw bits.damaged("an unknown code");
    bits.drop(length);
    return this.#symbols[(ahead >>> (LONGEST_CODE - length)) + (this.#offsets[length] as number)] as number;
  }
}
