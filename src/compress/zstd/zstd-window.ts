/** Maximum size of a zstd block, and so of the output of one step. */
export const ZSTD_BLOCK_BYTES: number = 128 * 1024;
const SLACK_BYTES = 1024 * 1024;
/** Above this size, the whole window is allocated: unwritten memory costs nothing, but copying written memory does. */
const SMALL_BYTES = 4 * 1024 * 1024;

/** The output that a frame can refer back to, and free space after it. When the space is used, the output moves to the front. */
export class ZstdWindow {
  buffer: Uint8Array = new Uint8Array(0);
  /** Position of the next byte. */
  head = 0;
  #windowBytes = 0;
  #maxBytes = 0;

  /** Starts a frame. */
  begin(windowBytes: number): void {
    this.#windowBytes = windowBytes;
    this.#maxBytes = Math.ceil(windowBytes + Math.max(SLACK_BYTES, windowBytes / 4)) + ZSTD_BLOCK_BYTES;
    this.head = 0;
  }

  /** Makes room for a block. Memory grows with the output, not with the size that the header announces. */
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

  /** The maximum distance of a match from `at`. */
  reach(at: number): number {
    return Math.min(at, this.#windowBytes);
  }
}
