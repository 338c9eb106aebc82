import { randomBytes } from "node:crypto";

/**
 * HalfSipHash-1-3 (Aumasson and Bernstein) with a random key: 32 bits that an archive's author cannot foresee, so names
 * cannot be chosen to fall into one bucket. In plain JavaScript because a call into node:crypto costs ten times as much
 * for names this short.
 */
export class KeyedHash {
  readonly #k0: number;
  readonly #k1: number;

  constructor(key: Buffer = randomBytes(8)) {
    this.#k0 = key.readInt32LE(0);
    this.#k1 = key.readInt32LE(4);
  }

  /** Of the first `length` bytes; an unsigned 32-bit number. */
  of(bytes: Uint8Array, length: number): number {
    let v0 = this.#k0;
    let v1 = this.#k1;
    let v2 = this.#k0 ^ 0x6c796765;
    let v3 = this.#k1 ^ 0x74656462;
    const words = (length >> 2) + 1;
    // The last word holds what is left and the length; three rounds without a word finish.
    for (let round = 0; round < words + 3; round += 1) {
      let word = 0;
      if (round < words) {
        const at = round * 4;
        const rest = length - at;
        word = rest >= 4 ? 0 : length << 24;
        for (let byte = Math.min(rest, 4) - 1; byte >= 0; byte -= 1) word |= (bytes[at + byte] ?? 0) << (8 * byte);
        v3 ^= word;
      } else if (round === words) {
        v2 ^= 0xff;
      }
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return (v1 ^ v3) >>> 0;
  }
}
