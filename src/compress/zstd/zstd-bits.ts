/** Damaged data, found without access to the stream; `unzstd` turns it into an ArchiveError with this cause. */
export class ZstdDamage extends Error {}

/**
 * Reads bits from the last byte to the first, like all entropy streams of zstd (RFC 8878 section 4.1). A 1 above the first
 * bit marks the start.
 */
export class BackwardBits {
  /** Number of bits left; negative if more were read than there are. */
  left: number;
  readonly #data: Uint8Array;

  constructor(data: Uint8Array) {
    const last = data.at(-1) ?? 0;
    if (last === 0) throw new ZstdDamage("a bit stream without its end mark");
    this.#data = data;
    this.left = data.length * 8 - 1 - Math.clz32(last << 24);
  }

  /** @param count at most 24; bits after the last one are zeros. */
  take(count: number): number {
    this.left -= count;
    const at = this.left;
    if (at < 0) return at + count <= 0 ? 0 : (this.#word(0) & ((1 << (at + count)) - 1)) << -at;
    return (this.#word(at >> 3) >>> (at & 7)) & ((1 << count) - 1);
  }

  /** @param count at most 31. */
  takeLong(count: number): number {
    if (count <= 24) return this.take(count);
    const high = this.take(count - 16);
    return high * 0x10000 + this.take(16);
  }

  #word(at: number): number {
    const data = this.#data;
    if (at + 3 < data.length) {
      return (
        (data[at] as number) |
        ((data[at + 1] as number) << 8) |
        ((data[at + 2] as number) << 16) |
        ((data[at + 3] as number) << 24)
      );
    }
    return (data[at] ?? 0) | ((data[at + 1] ?? 0) << 8) | ((data[at + 2] ?? 0) << 16);
  }
}
