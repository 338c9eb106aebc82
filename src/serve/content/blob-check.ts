import { crc32 } from "node:zlib";
import { type BlobHash, createParallelHash } from "../../content/blob-hash.ts";
import type { ByteRange } from "../../content/contracts.ts";
import { digestAlgorithm } from "../../oci/digest.ts";
import { allEnded, type Limited } from "../../util/promises.ts";
import type { CheckedSource, PieceSizes } from "./checked-source.ts";
import type { ChunkBuffers } from "./chunk-buffers.ts";
import { DamagedError } from "./damaged-error.ts";
import { isOwnFault } from "./own-fault.ts";
import type { StoredContent } from "./served-registry.ts";

/** Reads that are being hashed, while the next one is under way. */
const MAX_HASHED_AT_ONCE = 3;

/** What the checks of a server share. */
export interface CheckParts {
  readonly sizes: PieceSizes;
  /** For what is hashed. */
  readonly buffers: ChunkBuffers;
  /** Limits the pieces that are hashed at once. */
  readonly limit: Limited;
}

/**
 * What is known of the bytes of one blob. They are hashed once, in order, by the transfers that need them: each takes the
 * next piece, or waits for the one that does. A CRC-32 of each chunk is kept, and every chunk that goes out is compared with
 * it: bytes that change after they were hashed do not go out either.
 *
 * A piece has passed when it is hashed, and is what the sums say. The sums are a claim: what counts is the digest. So the
 * last piece passes only if the digest of the blob is right.
 */
export class BlobCheck {
  readonly #blob: StoredContent;
  readonly #sizes: PieceSizes;
  readonly #buffers: ChunkBuffers;
  readonly #limit: Limited;
  readonly #pieces: number;
  /** By chunk; of those before `#position`. */
  #crcs: Uint32Array | undefined;
  /** Bytes that are hashed. */
  #position = 0;
  #passed = 0;
  #hash: BlobHash | undefined;
  #pieceHash: BlobHash | undefined;
  #step: Promise<void> | undefined;
  /** What was found: no further piece passes. Bytes of those that have are as right as before. */
  #fault: { readonly error: unknown } | undefined;
  #users = 0;

  constructor(blob: StoredContent, { sizes, buffers, limit }: CheckParts) {
    this.#blob = blob;
    this.#buffers = buffers;
    this.#sizes = sizes;
    this.#limit = limit;
    this.#pieces = Math.max(1, Math.ceil(blob.size / sizes.pieceBytes));
  }

  /** Pieces that are known to be right. */
  get passedPieces(): number {
    return this.isConfirmed ? this.#pieces : 0;
  }

  /** Whether all bytes were hashed, and the digest is right. */
  get isConfirmed(): boolean {
    return this.#passed === this.#pieces;
  }

  enter(): void {
    this.#users += 1;
  }

  /** What the last transfer leaves unfinished is forgotten. */
  async leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0 && !this.isConfirmed) await this.#forget();
  }

  /**
   * Waits until all pieces of bytes 0 to `end - 1` have passed.
   *
   * @throws DamagedError
   */
  async passTo(end: number, source: CheckedSource, signal: AbortSignal): Promise<void> {
    const pieces = Math.max(1, Math.ceil(end / this.#sizes.pieceBytes));
    while (this.#passed < pieces) {
      this.#throwFault();
      signal.throwIfAborted();
      if (this.#step !== undefined) {
        // A failure is of the transfer that takes the step.
        await this.#step.catch(() => undefined);
      } else {
        const step = this.#limit(async () => await this.#hashPiece(source, signal));
        this.#step = step;
        try {
          await step;
        } finally {
          this.#step = undefined;
        }
      }
    }
  }

  /**
   * Reads a chunk whose piece has passed.
   *
   * @returns its bytes, in `buffer`.
   * @throws DamagedError
   */
  async read(chunk: number, source: CheckedSource, buffer: Uint8Array): Promise<Uint8Array> {
    const { start, end } = this.#chunkAt(chunk * this.#sizes.chunkBytes);
    const bytes = await this.#fill(start, end, source, buffer);
    if (crc32(bytes) !== this.#crcs?.[chunk]) {
      return await this.#fail(source, { start, end }, "bytes that have changed since they were checked");
    }
    return bytes;
  }

  async #hashPiece(source: CheckedSource, signal: AbortSignal): Promise<void> {
    const { size, digest } = this.#blob;
    const { pieceBytes, chunkBytes } = this.#sizes;
    const start = this.#passed * pieceBytes;
    const end = Math.min(size, start + pieceBytes);
    const claimed = source.pieceHash(this.#passed);
    this.#hash ??= createParallelHash(digestAlgorithm(digest), size);
    if (claimed !== undefined) this.#pieceHash ??= createParallelHash("sha256", size);
    this.#crcs ??= new Uint32Array(Math.ceil(size / chunkBytes));
    await this.#hashTo(end, source, signal);
    await this.#checkPiece(source, { start, end }, claimed);
    if (end === size) await this.#checkAll(source);
    this.#passed += 1;
  }

  /** Reads the next bytes while the last ones are hashed. */
  async #hashTo(end: number, source: CheckedSource, signal: AbortSignal): Promise<void> {
    const running: Promise<void>[] = [];
    try {
      while (this.#position < end) {
        signal.throwIfAborted();
        if (running.length >= MAX_HASHED_AT_ONCE) await running.shift();
        const buffer = this.#buffers.take();
        const start = this.#position;
        const bytes = await this.#fill(start, Math.min(end, start + this.#sizes.stepBytes), source, buffer);
        const hashed = this.#update(bytes).then(() => this.#buffers.give(buffer));
        hashed.catch(() => undefined);
        running.push(hashed);
        this.#keepCrcs(bytes, start);
        this.#position += bytes.length;
      }
      await Promise.all(running);
    } finally {
      // A thread may still read the memory.
      await Promise.allSettled(running);
    }
  }

  #keepCrcs(bytes: Uint8Array, start: number): void {
    const { chunkBytes } = this.#sizes;
    for (let at = 0; at < bytes.length && this.#crcs !== undefined; at += chunkBytes)
      this.#crcs[(start + at) / chunkBytes] = crc32(bytes.subarray(at, at + chunkBytes));
  }

  async #update(bytes: Uint8Array): Promise<void> {
    await allEnded([this.#hash?.update(bytes), this.#pieceHash?.update(bytes)]);
  }

  async #checkPiece(source: CheckedSource, range: ByteRange, claimed: string | undefined): Promise<void> {
    const hash = this.#pieceHash;
    this.#pieceHash = undefined;
    const found = await hash?.digest();
    if (claimed !== undefined && found !== `sha256:${claimed}`) await this.#fail(source, range, found);
  }

  async #checkAll(source: CheckedSource): Promise<void> {
    const hash = this.#hash;
    this.#hash = undefined;
    const found = await hash?.digest();
    if (found !== this.#blob.digest) await this.#fail(source, undefined, found);
  }

  async #fill(start: number, end: number, source: CheckedSource, buffer: Uint8Array): Promise<Uint8Array> {
    const bytes = buffer.subarray(0, end - start);
    try {
      await source.fill(bytes, start);
    } catch (error) {
      if (isOwnFault(error)) throw error;
      await this.#fail(source, { start, end }, error);
    }
    return bytes;
  }

  /** Reports damage, unless the file is not what it was: that is another fault. */
  async #fail(source: CheckedSource, range: ByteRange | undefined, found: unknown): Promise<never> {
    try {
      await source.confirm();
      await source.onDamage(range, found);
      const text = found instanceof Error ? found.message : String(found);
      throw new DamagedError(`blob ${source.digest} is damaged: found ${text}`, { cause: found });
    } catch (error) {
      this.#fault ??= { error };
      throw error;
    }
  }

  #throwFault(): void {
    if (this.#fault !== undefined) throw this.#fault.error;
  }

  #chunkAt(start: number): ByteRange {
    return { start, end: Math.min(this.#blob.size, start + this.#sizes.chunkBytes) };
  }

  async #forget(): Promise<void> {
    const hashes = [this.#hash, this.#pieceHash];
    this.#hash = undefined;
    this.#pieceHash = undefined;
    this.#position = 0;
    this.#passed = 0;
    this.#crcs = undefined;
    for (const hash of hashes) await hash?.drop();
  }
}
