import type { FileHandle } from "node:fs/promises";

const WINDOW_BYTES = 256 * 1024;
/** 8 MiB: the manifests and configs of thousands of images. */
const MAX_WINDOWS = 32;

/**
 * Small pieces of a file, out of larger ones that are read once. An archive of many images has their documents next to each
 * other, and a request to the system for each of them takes longer than all the rest. Of a file that is read to and fro,
 * pieces are left to others: a window for each of them would read the file many times over.
 */
export class FileWindows {
  readonly #file: FileHandle;
  /** Where the last piece ended. */
  #end = 0;
  /** By number, the least recently used first. */
  readonly #windows = new Map<number, Promise<Uint8Array>>();

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /**
   * @returns undefined for a piece that is too large, or far from the last one, or that cannot be read: reading it alone says
   * why.
   */
  async read(offset: number, size: number): Promise<Uint8Array | undefined> {
    const first = Math.floor(offset / WINDOW_BYTES);
    const last = Math.floor((offset + size - 1) / WINDOW_BYTES);
    const isNext = offset >= this.#end && offset < this.#end + WINDOW_BYTES;
    this.#end = offset + size;
    if (size === 0 || last > first + 1) return undefined;
    if (!isNext && !(this.#windows.has(first) && this.#windows.has(last))) return undefined;
    try {
      const parts = await Promise.all(
        last === first ? [this.#window(first)] : [this.#window(first), this.#window(last)],
      );
      const [head = new Uint8Array()] = parts;
      const joined = parts.length === 1 ? head : Buffer.concat(parts);
      const start = offset - first * WINDOW_BYTES;
      const bytes = Buffer.from(joined.subarray(start, start + size));
      return bytes.length === size ? bytes : undefined;
    } catch {
      return undefined;
    }
  }

  async #window(number: number): Promise<Uint8Array> {
    const known = this.#windows.get(number);
    const reading = known ?? this.#read(number);
    this.#windows.delete(number);
    this.#windows.set(number, reading);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > MAX_WINDOWS && oldest !== undefined) this.#windows.delete(oldest);
    return await reading;
  }

  async #read(number: number): Promise<Uint8Array> {
    const bytes = Buffer.allocUnsafeSlow(WINDOW_BYTES);
    let filled = 0;
    while (filled < bytes.length) {
      const position = number * WINDOW_BYTES + filled;
      const { bytesRead } = await this.#file.read(bytes, filled, bytes.length - filled, position);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  }
}
