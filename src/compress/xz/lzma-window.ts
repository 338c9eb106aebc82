const PART_BYTES = 256 * 1024;
/** Maximum decoded size of an LZMA2 chunk. */
const CHUNK_BYTES = 2 * 1024 * 1024;
/** Above this size, the whole window is allocated: unwritten memory costs nothing, but copying written memory does. */
const SMALL_BYTES = 4 * 1024 * 1024;

/** The last decoded bytes, in a ring. A chunk of LZMA2 is decoded into it, then copied out. */
export class LzmaWindow {
  /** Its length is a multiple of 16, so the low bits of `head` equal those of the position in the block. */
  ring: Uint8Array = new Uint8Array(0);
  head = 0;
  /** The maximum distance of a match. */
  reach = 0;
  #dictionaryBytes = 0;
  #maxBytes = 0;

  /** Starts a block. */
  begin(dictionaryBytes: number): void {
    this.#dictionaryBytes = dictionaryBytes;
    this.#maxBytes = Math.max(dictionaryBytes, CHUNK_BYTES, this.ring.length);
    this.reset();
  }

  /** Makes room for a chunk. Memory grows with the output, not with the size that the header announces. */
  reserve(count: number): void {
    const needed = this.head + count;
    if (needed <= this.ring.length || this.ring.length === this.#maxBytes) return;
    const wanted = needed * 2 < SMALL_BYTES ? Math.ceil(needed / 8) * 16 : this.#maxBytes;
    const grown = new Uint8Array(Math.min(this.#maxBytes, wanted));
    // The ring wraps only at its full length, so all bytes are below the head.
    grown.set(this.ring.subarray(0, this.head));
    this.ring = grown;
  }

  reset(): void {
    this.head = 0;
    this.reach = 0;
  }

  /** The byte `distance` + 1 before the head; 0 before the first byte. */
  before(distance: number): number {
    if (distance >= this.reach) return 0;
    const at = this.head - distance - 1;
    return this.ring[at < 0 ? at + this.ring.length : at] as number;
  }

  write(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    const first = Math.min(bytes.length, this.ring.length - this.head);
    this.ring.set(bytes.subarray(0, first), this.head);
    this.ring.set(bytes.subarray(first), 0);
    this.advance(bytes.length);
  }

  advance(count: number): void {
    this.head += count;
    if (this.head >= this.ring.length) this.head -= this.ring.length;
    this.reach = Math.min(this.reach + count, this.#dictionaryBytes);
  }

  /** Copies of the last `count` bytes, in parts. */
  *last(count: number): Generator<Uint8Array, void> {
    let left = count;
    while (left > 0) {
      const from = (this.head - left + this.ring.length) % this.ring.length;
      const part = this.ring.slice(from, Math.min(from + Math.min(left, PART_BYTES), this.ring.length));
      left -= part.length;
      yield part;
    }
  }
}
