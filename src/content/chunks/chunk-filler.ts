import { CHUNK_BYTES, sharedChunks } from "./chunks.ts";
import type { Flow } from "./flow.ts";

/** Packs parts of any size into full chunks for a flow, in order. */
export class ChunkFiller {
  readonly #flow: Flow;
  #chunk: Uint8Array | undefined;
  #filled = 0;
  #handed = 0;
  #rewinds = 0;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Bytes sent in whole chunks: after `rewind`, an interrupted transfer resumes here. */
  get handedBytes(): number {
    return this.#handed;
  }

  /** Memory for the next bytes; undefined if `take` would have to wait for a chunk. */
  room(): Uint8Array | undefined {
    this.#chunk ??= this.#flow.tryAcquire();
    return this.#chunk?.subarray(this.#filled);
  }

  /**
   * Copies `part`, unless it was written into `room`. Returns a promise if it must wait for a free chunk; `part` must not
   * change until that settles.
   */
  take(part: Uint8Array): Promise<void> | undefined {
    for (let taken = 0; taken < part.length; ) {
      this.#chunk ??= this.#flow.tryAcquire();
      if (this.#chunk === undefined) return this.#takeLater(part.subarray(taken));
      const step = Math.min(CHUNK_BYTES - this.#filled, part.length - taken);
      const isInPlace =
        part.buffer === this.#chunk.buffer && part.byteOffset + taken === this.#chunk.byteOffset + this.#filled;
      if (!isInPlace) this.#chunk.set(part.subarray(taken, taken + step), this.#filled);
      this.#filled += step;
      taken += step;
      if (this.#filled === CHUNK_BYTES) this.#hand();
    }
    return undefined;
  }

  /** Discards bytes that do not fill a chunk yet. */
  rewind(): void {
    this.#rewinds += 1;
    if (this.#chunk !== undefined) sharedChunks.release(this.#chunk);
    this.#chunk = undefined;
    this.#filled = 0;
  }

  /** Sends the last, shorter chunk. */
  end(): void {
    if (this.#filled > 0) this.#hand();
    else this.rewind();
  }

  async #takeLater(part: Uint8Array): Promise<void> {
    const rewinds = this.#rewinds;
    const chunk = await this.#flow.acquire();
    if (rewinds !== this.#rewinds) {
      // The transfer of this part was interrupted in the meantime; the next one starts at `handedBytes`.
      sharedChunks.release(chunk);
      return;
    }
    this.#chunk = chunk;
    await this.take(part);
  }

  #hand(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) return;
    this.#flow.hand(chunk, chunk.subarray(0, this.#filled), this.#handed);
    this.#handed += this.#filled;
    this.#chunk = undefined;
    this.#filled = 0;
  }
}
