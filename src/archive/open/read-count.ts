import type { OpenArchiveOptions } from "./open-archive-options.ts";

const STEP_BYTES = 256 * 1024;

/** Counts the bytes of the first reading of an archive. */
export class ReadCount {
  readonly #onRead: OpenArchiveOptions["onRead"];
  readonly #total: number | undefined;
  #bytes = 0;
  #reported = 0;
  #isStarted = false;

  /** @param total size of the file; absent for a pipe. */
  constructor(onRead: OpenArchiveOptions["onRead"], total?: number) {
    this.#onRead = onRead;
    this.#total = total;
  }

  /** The same parts. A second reading is not counted: its bytes are those of blobs. */
  async *of(parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const isFirst = !this.#isStarted;
    this.#isStarted = true;
    for await (const part of parts) {
      if (isFirst) this.#add(part.length);
      yield part;
    }
  }

  /** Reports the end of the reading after `read`, also if it failed. */
  async endAfter<T>(read: () => Promise<T>): Promise<T> {
    let bytes: number | undefined;
    try {
      const result = await read();
      bytes = this.#total;
      return result;
    } finally {
      bytes ??= this.#bytes;
      this.#onRead?.(bytes, bytes);
    }
  }

  #add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes - this.#reported < STEP_BYTES || this.#bytes === this.#total) return;
    this.#reported = this.#bytes;
    this.#onRead?.(this.#bytes, this.#total);
  }
}
