import { LzmaRange } from "./lzma-range.ts";
import type { LzmaWindow } from "./lzma-window.ts";

// Offsets of the probabilities for each kind of decision.
const IS_MATCH = 0;
const IS_REP = 192;
const IS_REP0 = 204;
const IS_REP1 = 216;
const IS_REP2 = 228;
const IS_LONG_REP0 = 240;
const SLOTS = 432;
const SPECIAL = 688;
const ALIGN = 803;
const MATCH_LENGTH = 819;
const REP_LENGTH = MATCH_LENGTH + 514;
const LITERALS = REP_LENGTH + 514;

/** Offsets of the probabilities of a length: two choices, then trees of 3, 3 and 8 bits. */
const LOW = 2;
const MID = LOW + 128;
const HIGH = MID + 128;

/** Decodes the LZMA chunks of LZMA2 (xz file format 1.2.1, section 5.3.1; the coder is that of the LZMA SDK). */
export class LzmaDecoder {
  readonly #window: LzmaWindow;
  // LZMA2 allows at most 4 bits of context for literals.
  readonly #range = new LzmaRange(LITERALS + (0x300 << 4));
  #contextBits = 0;
  #positionMask = 0;
  #literalMask = 0;
  #state = 0;
  #reps: readonly [number, number, number, number] = [0, 0, 0, 0];

  constructor(window: LzmaWindow) {
    this.#window = window;
  }

  /** @returns false if the byte is not allowed in LZMA2. */
  setProperties(byte: number): boolean {
    const contextBits = byte % 9;
    const positionBits = Math.floor(byte / 9) % 5;
    if (byte > 224 || contextBits + positionBits > 4) return false;
    this.#contextBits = contextBits;
    this.#literalMask = (1 << positionBits) - 1;
    this.#positionMask = (1 << Math.floor(byte / 45)) - 1;
    this.resetState();
    return true;
  }

  resetState(): void {
    this.#range.reset();
    this.#state = 0;
    this.#reps = [0, 0, 0, 0];
  }

  /**
   * Decodes one chunk into the window.
   *
   * @returns false if it is damaged: the last byte, the last symbol and the final state must coincide.
   */
  decode(chunk: Uint8Array, bytes: number): boolean {
    const range = this.#range;
    if (!range.begin(chunk)) return false;
    this.#window.reserve(bytes);
    let left = bytes;
    let [rep0, rep1, rep2, rep3] = this.#reps;
    while (left > 0) {
      const position = this.#window.head & this.#positionMask;
      if (range.bit(IS_MATCH + this.#state * 16 + position) === 0) {
        this.#literal(rep0);
        left -= 1;
        continue;
      }
      let length = 0;
      if (range.bit(IS_REP + this.#state) === 0) {
        rep3 = rep2;
        rep2 = rep1;
        rep1 = rep0;
        length = this.#length(MATCH_LENGTH, position);
        rep0 = this.#distance(length);
        this.#state = this.#state < 7 ? 7 : 10;
      } else if (range.bit(IS_REP0 + this.#state) === 0) {
        if (range.bit(IS_LONG_REP0 + this.#state * 16 + position) === 0) length = 1;
      } else if (range.bit(IS_REP1 + this.#state) === 0) {
        const chosen = rep1;
        rep1 = rep0;
        rep0 = chosen;
      } else if (range.bit(IS_REP2 + this.#state) === 0) {
        const chosen = rep2;
        rep2 = rep1;
        rep1 = rep0;
        rep0 = chosen;
      } else {
        const chosen = rep3;
        rep3 = rep2;
        rep2 = rep1;
        rep1 = rep0;
        rep0 = chosen;
      }
      if (length === 1) {
        this.#state = this.#state < 7 ? 9 : 11;
      } else if (length === 0) {
        length = this.#length(REP_LENGTH, position);
        this.#state = this.#state < 7 ? 8 : 11;
      }
      if (rep0 >>> 0 >= this.#window.reach || length > left) return false;
      this.#copy(rep0, length);
      left -= length;
    }
    this.#reps = [rep0, rep1, rep2, rep3];
    return range.end();
  }

  #literal(rep0: number): void {
    const range = this.#range;
    const window = this.#window;
    const context =
      ((window.head & this.#literalMask) << this.#contextBits) + (window.before(0) >> (8 - this.#contextBits));
    const start = LITERALS + 0x300 * context;
    let symbol = 1;
    if (this.#state >= 7) {
      let matched = window.before(rep0);
      let offset = 0x100;
      while (symbol < 0x100) {
        matched <<= 1;
        const expected = matched & offset;
        const bit = range.bit(start + offset + expected + symbol);
        symbol = (symbol << 1) | bit;
        offset &= bit === 1 ? expected : ~expected;
      }
    } else {
      symbol = range.tree(start, 0x100);
    }
    window.ring[window.head] = symbol;
    window.advance(1);
    this.#state = this.#state < 4 ? 0 : this.#state - (this.#state < 10 ? 3 : 6);
  }

  #length(start: number, position: number): number {
    const range = this.#range;
    if (range.bit(start) === 0) return range.tree(start + LOW + position * 8, 8) - 6;
    if (range.bit(start + 1) === 0) return range.tree(start + MID + position * 8, 8) + 2;
    return range.tree(start + HIGH, 256) - 238;
  }

  /** Distance minus one, as in the format. */
  #distance(length: number): number {
    const range = this.#range;
    const slot = range.tree(SLOTS + Math.min(length - 2, 3) * 64, 64) - 64;
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) << bits;
    if (slot < 14) return high + range.reverseTree(SPECIAL + (high - slot) - 1, bits);
    const direct = range.direct(bits - 4);
    return (high + (direct << 4) + range.reverseTree(ALIGN, 4)) | 0;
  }

  #copy(distance: number, length: number): void {
    const { ring, head } = this.#window;
    let from = head - distance - 1;
    if (from < 0) from += ring.length;
    if (Math.max(from, head) + length <= ring.length) {
      for (let index = 0; index < length; index += 1) ring[head + index] = ring[from + index] as number;
    } else {
      for (let index = 0; index < length; index += 1) {
        ring[(head + index) % ring.length] = ring[(from + index) % ring.length] as number;
      }
    }
    this.#window.advance(length);
  }
}
