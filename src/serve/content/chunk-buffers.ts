// Two for each of as many transfers as a server runs at once: shared memory is freed late.
const MAX_SPARE = 256;

/** Buffers of one size for what is read and sent. */
export class ChunkBuffers {
  readonly #bytes: number;
  readonly #spare: Buffer[] = [];

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): Buffer {
    // Shared, because the hash may run in another thread.
    return this.#spare.pop() ?? Buffer.from(new SharedArrayBuffer(this.#bytes));
  }

  /** Of what no socket uses any more. */
  give(buffer: Buffer): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(buffer);
  }
}
