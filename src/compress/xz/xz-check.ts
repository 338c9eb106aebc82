import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** The checksum after each block, of its decoded bytes. */
export interface XzCheck {
  readonly bytes: number;
  create(): { update(part: Uint8Array): void; digest(): Uint8Array };
}

/** The four kinds in use, by the number in the header of a stream (xz file format 1.2.1, section 2.1.1.2). */
export const XZ_CHECKS: ReadonlyMap<number, XzCheck> = new Map<number, XzCheck>([
  [0, { bytes: 0, create: () => ({ update: () => undefined, digest: () => new Uint8Array(0) }) }],
  [1, { bytes: 4, create: () => new Crc32() }],
  [4, { bytes: 8, create: () => new Crc64() }],
  [10, { bytes: 32, create: () => new Sha256() }],
]);

class Crc32 {
  #crc = 0;

  update(part: Uint8Array): void {
    this.#crc = crc32(part, this.#crc);
  }

  digest(): Uint8Array {
    return littleEndian(this.#crc);
  }
}

class Sha256 {
  readonly #hash = createHash("sha256");

  update(part: Uint8Array): void {
    this.#hash.update(part);
  }

  digest(): Uint8Array {
    return this.#hash.digest();
  }
}

/** CRC-64 of ECMA-182, reflected, in two halves of 32 bits, four bytes per step. */
class Crc64 {
  #low = -1;
  #high = -1;

  update(part: Uint8Array): void {
    const { lows, highs } = crc64Tables();
    let low = this.#low;
    let high = this.#high;
    const whole = part.length & ~3;
    let at = 0;
    for (; at < whole; at += 4) {
      const a = 768 + ((low ^ (part[at] as number)) & 255);
      const b = 512 + (((low >>> 8) ^ (part[at + 1] as number)) & 255);
      const c = 256 + (((low >>> 16) ^ (part[at + 2] as number)) & 255);
      const d = (low >>> 24) ^ (part[at + 3] as number);
      low = high ^ (lows[a] as number) ^ (lows[b] as number) ^ (lows[c] as number) ^ (lows[d] as number);
      high = (highs[a] as number) ^ (highs[b] as number) ^ (highs[c] as number) ^ (highs[d] as number);
    }
    for (; at < part.length; at += 1) {
      const byte = (low ^ (part[at] as number)) & 255;
      low = ((low >>> 8) | (high << 24)) ^ (lows[byte] as number);
      high = (high >>> 8) ^ (highs[byte] as number);
    }
    this.#low = low;
    this.#high = high;
  }

  digest(): Uint8Array {
    return Buffer.concat([littleEndian(~this.#low), littleEndian(~this.#high)]);
  }
}

interface Crc64Tables {
  /** Four tables in a row: for a byte, and for a byte that is followed by one, two and three zero bytes. */
  readonly lows: Int32Array;
  readonly highs: Int32Array;
}

let tables: Crc64Tables | undefined;

function crc64Tables(): Crc64Tables {
  if (tables !== undefined) return tables;
  const lows = new Int32Array(1024);
  const highs = new Int32Array(1024);
  for (let index = 0; index < 1024; index += 1) {
    let low = index < 256 ? index : (lows[index - 256] as number);
    let high = index < 256 ? 0 : (highs[index - 256] as number);
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (low & 1) === 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (isOdd) {
        low ^= 0xd7870f42;
        high ^= 0xc96c5795;
      }
    }
    lows[index] = low;
    highs[index] = high;
  }
  tables = { lows, highs };
  return tables;
}

function littleEndian(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
