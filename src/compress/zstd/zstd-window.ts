/** The longest block of zstd, and so the most that one step adds. */
export const ZSTD_BLOCK_BYTES: number = 128 * 1024;
const SLACK_BYTES = 1024 * 1024;
/** From here on memory is taken whole: it is not held before it is written to, and copies of it would be. */
const SMALL_BYTES = 4 * 1024 * 1024;

/** What a frame may refer back to, with room behind it: moved to the front when the room is used up. */
export class ZstdWindow {
  buffer: Uint8Array = new Uint8Array(0);
  /** Where the next byte goes. */
  head = 0;
  #windowBytes = 0;
  #maxBytes = 0;

  /** Begins a frame. */
  begin(windowBytes: number): void {
    this.#windowBytes = windowBytes;
    this.#maxBytes = Math.ceil(windowBytes + Math.max(SLACK_BYTES, windowBytes / 4)) + ZSTD_BLOCK_BYTES;
    this.head = 0;
  }

  /** Makes room for a block. What was never written takes no memory, whatever the header announced. */
  reserve(): void {
    const needed = this.head + ZSTD_BLOCK_BYTES;
    if (needed <= this.buffer.length) return;
    if (this.buffer.length < this.#maxBytes) {
      const wanted = needed * 2 < SMALL_BYTES ? needed * 2 : this.#maxBytes;
      const grown = new Uint8Array(Math.min(this.#maxBytes, wanted));
      grown.set(this.buffer.subarray(0, this.head));
      this.buffer = grown;
    } else {
      const kept = Math.min(this.head, this.#windowBytes);
      this.buffer.copyWithin(0, this.head - kept, this.head);
      this.head = kept;
    }
  }

  /** How far back from `at` a match may reach. */
  reach(at: number): number {
    return Math.min(at, this.#windowBytes);
  }
}
