import { refusal, TRUNCATED_HINT } from "./refusal.ts";

/** A file that can be read at any position, such as a FileHandle or memory. */
export interface TarFile {
  /** Bytes. */
  readonly size: number;
  /** Fills `target` from byte `position` on, perhaps only in part; resolves with the bytes read, 0 at the end. */
  read(target: Uint8Array, position: number): Promise<number>;
}

const WINDOW_BYTES = 64 * 1024;
// After a jump over a body, a header is often alone: 64 KiB would be mostly the next body.
const JUMP_BYTES = 4 * 1024;

/** Reads ahead if headers are close together, and little if they are far apart. */
export class ReadWindow {
  readonly #file: TarFile;
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  readonly #buffer: Uint8Array;
  #start = 0;
  #length = 0;

  constructor(file: TarFile, what: string, signal: AbortSignal | undefined) {
    this.#file = file;
    this.#what = what;
    this.#signal = signal;
    this.#buffer = new Uint8Array(Math.min(WINDOW_BYTES, file.size));
  }

  /** The bytes, if they are in the window; a view that the next read overwrites. */
  peek(position: number, length: number): Uint8Array | undefined {
    const at = position - this.#start;
    return at >= 0 && at + length <= this.#length ? this.#buffer.subarray(at, at + length) : undefined;
  }

  /** @throws ArchiveError "truncated" if the file is shorter than its size. */
  async bytes(position: number, length: number): Promise<Uint8Array> {
    const known = this.peek(position, length);
    if (known !== undefined) return known;
    this.#signal?.throwIfAborted();
    if (length > WINDOW_BYTES) {
      const target = new Uint8Array(length);
      await this.#fill(target, position, length);
      return target;
    }
    const isNear = position >= this.#start && position <= this.#start + this.#length + JUMP_BYTES;
    const ahead = Math.max(length, isNear ? WINDOW_BYTES : JUMP_BYTES);
    const wanted = Math.max(length, Math.min(ahead, this.#file.size - position));
    this.#length = 0;
    await this.#fill(this.#buffer.subarray(0, wanted), position, length);
    this.#start = position;
    this.#length = wanted;
    return this.#buffer.subarray(0, length);
  }

  async #fill(target: Uint8Array, position: number, needed: number): Promise<void> {
    for (let filled = 0; filled < target.length; ) {
      const count = await this.#file.read(target.subarray(filled), position + filled);
      if (count <= 0) {
        throw refusal(
          "truncated",
          { what: this.#what, offset: position },
          `file ends at byte ${position + filled} although its size was ${this.#file.size}`,
          `at least ${position + needed}`,
          TRUNCATED_HINT,
        );
      }
      filled += count;
      this.#signal?.throwIfAborted();
    }
  }
}
