// Constants of 64 bits, as halves of 32 bits, high half first.
const P1 = [0x9e3779b1, 0x85ebca87] as const;
const P2 = [0xc2b2ae3d, 0x27d4eb4f] as const;
const P3 = [0x165667b1, 0x9e3779f9] as const;
const P4 = [0x85ebca77, 0xc2b2ae63] as const;
const P5 = [0x27d4eb2f, 0x165667c5] as const;

const STRIPE_BYTES = 32;

/** XXH64 with seed 0; zstd uses its low half. Computed in halves of 32 bits, because BigInt is far slower. */
export class Xxhash64 {
  // The register of all operations.
  #high = 0;
  #low = 0;
  readonly #highs = new Int32Array(4);
  readonly #lows = new Int32Array(4);
  readonly #stripe = new Uint8Array(STRIPE_BYTES);
  #kept = 0;
  #bytes = 0;

  constructor() {
    // P1 + P2, P2, 0 and -P1.
    this.#highs.set([0x60ea27ee, P2[0], 0, 0x61c8864e]);
    this.#lows.set([0xadc0b5d6, P2[1], 0, 0x7a143579]);
  }

  update(part: Uint8Array): void {
    this.#bytes += part.length;
    let at = 0;
    if (this.#kept > 0) {
      at = Math.min(part.length, STRIPE_BYTES - this.#kept);
      this.#stripe.set(part.subarray(0, at), this.#kept);
      this.#kept += at;
      if (this.#kept < STRIPE_BYTES) return;
      this.#eat(this.#stripe, 0);
    }
    for (; at + STRIPE_BYTES <= part.length; at += STRIPE_BYTES) this.#eat(part, at);
    this.#stripe.set(part.subarray(at));
    this.#kept = part.length - at;
  }

  /** The low half of the hash; call it last. */
  lowHalf(): number {
    if (this.#bytes < STRIPE_BYTES) {
      this.#high = P5[0] | 0;
      this.#low = P5[1] | 0;
    } else this.#mergeLanes();
    this.#add(Math.floor(this.#bytes / 2 ** 32), this.#bytes);
    let at = 0;
    for (; at + 8 <= this.#kept; at += 8) {
      this.#blend(word(this.#stripe, at + 4), word(this.#stripe, at), 8);
    }
    if (at + 4 <= this.#kept) {
      this.#blend(0, word(this.#stripe, at), 4);
      at += 4;
    }
    for (; at < this.#kept; at += 1) this.#blend(0, this.#stripe[at] as number, 1);
    this.#low ^= this.#high >>> 1;
    this.#multiply(P2[0], P2[1]);
    this.#low ^= (this.#low >>> 29) | (this.#high << 3);
    this.#high ^= this.#high >>> 29;
    this.#multiply(P3[0], P3[1]);
    return (this.#low ^ this.#high) >>> 0;
  }

  /** Adds the last bytes, which do not fill a stripe: eight, four or one at a time. */
  #blend(high: number, low: number, bytes: 8 | 4 | 1): void {
    const [hashHigh, hashLow] = [this.#high, this.#low];
    this.#high = high;
    this.#low = low;
    if (bytes === 8) this.#mix();
    else if (bytes === 4) this.#multiply(P1[0], P1[1]);
    else this.#multiply(P5[0], P5[1]);
    this.#high ^= hashHigh;
    this.#low ^= hashLow;
    this.#rotate(bytes === 8 ? 27 : bytes === 4 ? 23 : 11);
    if (bytes === 4) this.#multiply(P2[0], P2[1]);
    else this.#multiply(P1[0], P1[1]);
    if (bytes === 8) this.#add(P4[0], P4[1]);
    if (bytes === 4) this.#add(P3[0], P3[1]);
  }

  #mergeLanes(): void {
    let [high, low] = [0, 0];
    for (const [lane, turn] of [1, 7, 12, 18].entries()) {
      this.#load(lane);
      this.#rotate(turn);
      this.#add(high, low);
      [high, low] = [this.#high, this.#low];
    }
    for (let lane = 0; lane < 4; lane += 1) {
      [high, low] = [this.#high, this.#low];
      this.#load(lane);
      this.#mix();
      this.#high ^= high;
      this.#low ^= low;
      this.#multiply(P1[0], P1[1]);
      this.#add(P4[0], P4[1]);
    }
  }

  #eat(data: Uint8Array, start: number): void {
    for (let lane = 0; lane < 4; lane += 1) {
      const at = start + lane * 8;
      this.#high = word(data, at + 4);
      this.#low = word(data, at);
      this.#multiply(P2[0], P2[1]);
      this.#add(this.#highs[lane] as number, this.#lows[lane] as number);
      this.#rotate(31);
      this.#multiply(P1[0], P1[1]);
      this.#highs[lane] = this.#high;
      this.#lows[lane] = this.#low;
    }
  }

  #mix(): void {
    this.#multiply(P2[0], P2[1]);
    this.#rotate(31);
    this.#multiply(P1[0], P1[1]);
  }

  #load(lane: number): void {
    this.#high = this.#highs[lane] as number;
    this.#low = this.#lows[lane] as number;
  }

  #add(high: number, low: number): void {
    const sum = (this.#low + low) | 0;
    // The sum overflowed if it is smaller than one of its parts.
    this.#high = (this.#high + high + (sum >>> 0 < low >>> 0 ? 1 : 0)) | 0;
    this.#low = sum;
  }

  /** @param turn 1 to 31. */
  #rotate(turn: number): void {
    const high = this.#high;
    this.#high = (high << turn) | (this.#low >>> (32 - turn));
    this.#low = (this.#low << turn) | (high >>> (32 - turn));
  }

  #multiply(high: number, low: number): void {
    const low0 = this.#low & 0xffff;
    const low1 = this.#low >>> 16;
    const by0 = low & 0xffff;
    const by1 = low >>> 16;
    const first = Math.imul(low0, by0);
    const second = (Math.imul(low1, by0) + (first >>> 16)) | 0;
    const third = (Math.imul(low0, by1) + (second & 0xffff)) | 0;
    const crossed = (Math.imul(this.#low, high) + Math.imul(this.#high, low)) | 0;
    this.#high = (Math.imul(low1, by1) + (second >>> 16) + (third >>> 16) + crossed) | 0;
    this.#low = (third << 16) | (first & 0xffff);
  }
}

function word(data: Uint8Array, at: number): number {
  return (
    (data[at] as number) |
    ((data[at + 1] as number) << 8) |
    ((data[at + 2] as number) << 16) |
    ((data[at + 3] as number) << 24)
  );
}
