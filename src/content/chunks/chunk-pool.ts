import { abortable, deferred } from "../../util/promises.ts";

/** Framing of a chunk that does not shrink: gzip header and trailer, and five bytes per 64 KiB. */
const SPARE_EXTRA_BYTES = 1024;

/**
 * A fixed set of equal buffers in shared memory: worker threads hash and compress them in place, sockets and files
 * fill them. The pool is the memory bound of a copy, whatever the size of its layers.
 */
export class ChunkPool {
  readonly chunkBytes: number;
  readonly #limit: number;
  #made = 0;
  readonly #free: Uint8Array[] = [];
  readonly #waiting: ((chunk: Uint8Array) => void)[] = [];

  constructor(chunks: number, chunkBytes: number) {
    this.#limit = chunks;
    this.chunkBytes = chunkBytes;
  }

  /** Chunks that are with their users. */
  get lentChunks(): number {
    return this.#made - this.#free.length;
  }

  /** A free chunk at once, or undefined: for callers that cannot wait, such as a socket's read callback. */
  tryAcquire(): Uint8Array | undefined {
    const chunk = this.#free.pop();
    if (chunk !== undefined || this.#made >= this.#limit) return chunk;
    this.#made += 1;
    return new Uint8Array(new SharedArrayBuffer(2 * this.chunkBytes + SPARE_EXTRA_BYTES), 0, this.chunkBytes);
  }

  /**
   * Room that comes with a chunk, for what is made of it: as long as the chunk and a little more. Its pages cost nothing
   * until they are used.
   */
  spare(chunk: Uint8Array): Uint8Array {
    return new Uint8Array(chunk.buffer, this.chunkBytes);
  }

  async acquire(signal?: AbortSignal): Promise<Uint8Array> {
    const chunk = this.tryAcquire();
    if (chunk !== undefined) return chunk;
    const turn = deferred<Uint8Array>();
    this.#waiting.push(turn.resolve);
    try {
      return await abortable(turn.promise, signal);
    } catch (error) {
      const place = this.#waiting.indexOf(turn.resolve);
      if (place >= 0) this.#waiting.splice(place, 1);
      else void turn.promise.then(late => this.release(late));
      throw error;
    }
  }

  release(chunk: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(chunk);
    else next(chunk);
  }
}
