import { refusal, TRUNCATED_HINT } from "./refusal.ts";

/** A file that can be read at any position, such as a FileHandle or memory. */
export interface TarFile {
  /** Bytes. */
  readonly size: number;
  /** Fills `target` from byte `position` on, perhaps only in part; resolves with the bytes read, 0 at the end. */
  read(target: Uint8Array, position: number): Promise<number>;
}

const WINDOW_BYTES = 1024 * 1024;
// After a jump over a body, a header is often alone: more would be mostly the next body.
const JUMP_BYTES = 4 * 1024;
/** A request to the system takes as long as reading this much through. */
const NEAR_BYTES = 64 * 1024;

/** Reads ahead while headers are close together, each time twice as much, and little if they are far apart. */
export class ReadWindow {
  readonly #file: TarFile;
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  readonly #buffer: Uint8Array;
  #start = 0;
  #length = 0;
  /** Where the last bytes began that were asked for. */
  #last = 0;
  /** Bytes that are read at once while headers are close together. */
  #ahead = WINDOW_BYTES / 32;

  constructor(file: TarFile, what: string, signal: AbortSignal | undefined) {
    this.#file = file;
    this.#what = what;
    this.#signal = signal;
    this.#buffer = new Uint8Array(Math.min(WINDOW_BYTES, file.size));
  }

  /** The bytes, if they are in the window; a view that the next read overwrites. */
  peek(position: number, length: number): Uint8Array | undefined {
    const at = position - this.#start;
    if (at < 0 || at + length > this.#length) return undefined;
    this.#last = position;
    return this.#buffer.subarray(at, at + length);
  }

  /** @throws ArchiveError "truncated" if the file is shorter than its size. */
  async bytes(position: number, length: number): Promise<Uint8Array> {
    const known = this.peek(position, length);
    if (known !== undefined) return known;
    this.#signal?.throwIfAborted();
    const isNear = position >= this.#last && position <= this.#last + NEAR_BYTES;
    this.#last = position;
    if (length > WINDOW_BYTES) {
      const target = new Uint8Array(length);
      await this.#fill(target, position, length);
      return target;
    }
    this.#ahead = isNear ? Math.min(2 * this.#ahead, WINDOW_BYTES) : JUMP_BYTES;
    const wanted = Math.max(length, Math.min(this.#ahead, this.#file.size - position));
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
