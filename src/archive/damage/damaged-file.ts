import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { fileSliceBlob } from "../../content/blob.ts";
import type { BlobSource } from "../../content/contracts.ts";
import { FileWindows } from "../../content/file-windows.ts";
import type { Digest, DigestAlgorithm } from "../../oci/digest.ts";
import { BLOCK_BYTES, encodeHeader, hasChecksum } from "../../tar/header.ts";
import { decodeSize } from "../../tar/number.ts";
import { readAt } from "../../util/read-disk.ts";
import { SystemFault } from "../../util/system-fault.ts";

const WINDOW_BYTES = 256 * 1024;
/** After a jump over a small body, the next headers are near, too. */
const NEAR_BYTES = 4 * 1024;

export interface OwnHeader {
  readonly name: string;
  readonly size: number;
}

/** A file on a medium that may be damaged: what cannot be read counts as zeros. */
export class DamagedFile {
  readonly path: string;
  readonly handle: FileHandle;
  readonly stats: Stats;
  /** Where bytes could not be read. */
  readonly unreadable: number[] = [];
  readonly #windows: FileWindows;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(path: string, handle: FileHandle, stats: Stats) {
    this.path = path;
    this.handle = handle;
    this.stats = stats;
    this.#windows = new FileWindows(handle);
  }

  get size(): number {
    return this.stats.size;
  }

  /** Bytes that reading fails at, if they are damaged or beyond the end. */
  slice(offset: number, size: number): BlobSource {
    return fileSliceBlob(this.handle, offset, size, this.path, this.#windows);
  }

  /** Fewer than `length` bytes only at the end of the file. */
  async read(position: number, length: number): Promise<Buffer> {
    const end = Math.min(position + length, this.size);
    if (position >= end) return Buffer.alloc(0);
    if (position >= this.#start && end <= this.#start + this.#window.length)
      return this.#window.subarray(position - this.#start, end - this.#start);
    const isNear = position >= this.#start && position <= this.#start + this.#window.length + NEAR_BYTES;
    const ahead = Math.max(length, isNear ? WINDOW_BYTES : 4 * BLOCK_BYTES);
    const window = Buffer.alloc(Math.min(ahead, this.size - position));
    await this.#fill(window, position);
    this.#window = window;
    this.#start = position;
    return window.subarray(0, end - position);
  }

  /** Step by step: what is hashed may be as large as a hostile lock says. */
  async digest(position: number, length: number, algorithm: DigestAlgorithm = "sha256"): Promise<Digest> {
    const hash = createHash(algorithm);
    for (let at = position; at < Math.min(position + length, this.size); at += WINDOW_BYTES)
      hash.update(await this.read(at, Math.min(WINDOW_BYTES, position + length - at)));
    return `${algorithm}:${hash.digest("hex")}`;
  }

  /** The header at this position, if it is one that imgpack writes, to the last byte. */
  async header(position: number): Promise<OwnHeader | undefined> {
    const block = await this.read(position, BLOCK_BYTES);
    if (block.length < BLOCK_BYTES || !hasChecksum(block)) return undefined;
    const size = decodeSize(block, 124, 136);
    const name = block.toString("utf8", 0, Math.max(0, block.indexOf(0)));
    if (size === undefined || name === "" || Buffer.byteLength(name) > 100) return undefined;
    return block.equals(encodeHeader(name, size)) ? { name, size } : undefined;
  }

  async #fill(into: Buffer, position: number): Promise<void> {
    for (let filled = 0; filled < into.length; ) {
      const step = into.subarray(filled);
      try {
        const count = await readAt(this.handle, this.path, step, position + filled);
        if (count === 0) return;
        filled += count;
      } catch (error) {
        if (!(error instanceof SystemFault)) throw error;
        // Block by block: a medium loses a few of them.
        if (step.length > BLOCK_BYTES) {
          const half = Math.ceil(step.length / 2 / BLOCK_BYTES) * BLOCK_BYTES;
          await this.#fill(step.subarray(0, half), position + filled);
          filled += half;
          continue;
        }
        this.unreadable.push(position + filled);
        return;
      }
    }
  }
}
