import type { ByteRange } from "../../content/contracts.ts";
import type { Digest } from "../../oci/digest.ts";
import { limited } from "../../util/promises.ts";
import { BlobCheck, type CheckParts } from "./blob-check.ts";
import type { CheckedSource, PieceSizes } from "./checked-source.ts";
import { ChunkBuffers } from "./chunk-buffers.ts";
import type { OpenBlob } from "./served-registry.ts";

const MIB = 1024 * 1024;
/** Two chunks for each transfer: 64 MiB for 128 of them, and 16 MiB for what is hashed. Pieces are those of the sums. */
export const PIECE_SIZES: PieceSizes = { pieceBytes: 4 * MIB, chunkBytes: MIB / 4, stepBytes: MIB };

/** More do not make a disk faster, and one after the other is better for those that turn. */
const MAX_STEPS = 4;
/** A check has 4 bytes for each chunk, and some hundred for itself. */
const MAX_CHECKS = 50_000;

interface KnownCheck {
  readonly identity: string;
  readonly check: BlobCheck;
}

/** Opens blobs so that no byte goes out that was not checked. What was found out of a blob is kept for the next reading. */
export class CheckedBlobs {
  readonly #sizes: PieceSizes;
  readonly #buffers: ChunkBuffers;
  readonly #parts: CheckParts;
  /** The least recently used first. */
  readonly #checks = new Map<Digest, KnownCheck>();

  constructor(sizes: PieceSizes = PIECE_SIZES) {
    this.#sizes = sizes;
    this.#buffers = new ChunkBuffers(sizes.chunkBytes);
    this.#parts = { sizes, buffers: new ChunkBuffers(sizes.stepBytes), limit: limited(MAX_STEPS) };
  }

  /** Pieces that were hashed, and were right. */
  get passedPieces(): number {
    let pieces = 0;
    for (const { check } of this.#checks.values()) pieces += check.passedPieces;
    return pieces;
  }

  /** Takes over `source`. */
  open(source: CheckedSource): OpenBlob {
    const check = this.#checkOf(source);
    const { digest, size } = source;
    const buffers = this.#buffers;
    // Sockets may use the bytes until the blob is closed.
    const used: Buffer[] = [];
    return {
      digest,
      size,
      chunks: (range, signal) => this.#chunks(check, source, range, used, signal),
      async close() {
        for (const buffer of used.splice(0)) buffers.give(buffer);
        await source[Symbol.asyncDispose]();
      },
    };
  }

  #checkOf({ digest, size, identity }: CheckedSource): BlobCheck {
    const known = this.#checks.get(digest);
    this.#checks.delete(digest);
    const current =
      known?.identity === identity ? known : { identity, check: new BlobCheck({ digest, size }, this.#parts) };
    this.#checks.set(digest, current);
    const [oldest] = this.#checks.keys();
    if (this.#checks.size > MAX_CHECKS && oldest !== undefined) this.#checks.delete(oldest);
    return current.check;
  }

  /** Two buffers take turns: one is filled while the other one is sent. The next piece is hashed meanwhile. */
  async *#chunks(
    check: BlobCheck,
    source: CheckedSource,
    { start, end }: ByteRange,
    used: Buffer[],
    signal: AbortSignal = new AbortController().signal,
  ): AsyncGenerator<Uint8Array, void> {
    const { size } = source;
    const { chunkBytes, pieceBytes } = this.#sizes;
    const buffers = [this.#buffers.take(), this.#buffers.take()] as const;
    used.push(buffers[0], buffers[1]);
    let stop: AbortController | undefined;
    let ahead: Promise<void> = Promise.resolve();
    check.enter();
    try {
      // Of a part, no last piece could be withheld until the digest is known.
      const isWhole = start === 0 && end === size && size > 0;
      if (!isWhole) await check.passTo(size, source, signal);
      for (let position = start, turn = 0; position < end; turn ^= 1) {
        const buffer = turn === 0 ? buffers[0] : buffers[1];
        const chunk = Math.floor(position / chunkBytes);
        const from = chunk * chunkBytes;
        const to = Math.min(end, from + chunkBytes);
        await check.passTo(to, source, signal);
        const bytes = await check.read(chunk, source, buffer);
        // Once for each piece: a look at each file takes longer than a chunk, whose bytes are known by their checksum.
        if (to === end || to % pieceBytes === 0) await source.confirm();
        if (position % pieceBytes === 0 && position + pieceBytes < size && !check.isConfirmed) {
          await ahead;
          stop ??= new AbortController();
          // Its failure is that of the next piece.
          const next = Math.min(size, position + 2 * pieceBytes);
          ahead = check.passTo(next, source, AbortSignal.any([signal, stop.signal])).catch(() => undefined);
        }
        yield bytes.subarray(position - from, to - from);
        position = to;
      }
    } finally {
      stop?.abort();
      await ahead;
      await check.leave();
    }
  }
}
