import { abortable, deferred } from "../../util/promises.ts";

/** Framing of an incompressible chunk: gzip header and trailer, and five bytes per 64 KiB. */
const SPARE_EXTRA_BYTES = 1024;

/**
 * A fixed set of equal buffers in shared memory: sockets and files fill them, worker threads hash and compress them in
 * place. The pool bounds the memory of a copy, whatever the size of its layers.
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

  /** Chunks in use. */
  get lentChunks(): number {
    return this.#made - this.#free.length;
  }

  /** A free chunk, or undefined: for callers that cannot wait, such as the read callback of a socket. */
  tryAcquire(): Uint8Array | undefined {
    const chunk = this.#free.pop();
    if (chunk !== undefined || this.#made >= this.#limit) return chunk;
    this.#made += 1;
    return new Uint8Array(new SharedArrayBuffer(2 * this.chunkBytes + SPARE_EXTRA_BYTES), 0, this.chunkBytes);
  }

  /** Memory for the result of work on a chunk, a little larger than the chunk. Its pages cost nothing until used. */
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
      const index = this.#waiting.indexOf(turn.resolve);
      if (index >= 0) this.#waiting.splice(index, 1);
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
