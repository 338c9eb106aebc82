import type { Digest } from "../oci/digest.ts";
import { type BlobHash, createBlobHash } from "./blob-hash.ts";

/** Hashes each piece of a blob with sha256 while the blob passes, in order. Pieces end at multiples of `pieceBytes`. */
export class PieceHashes {
  readonly #pieceBytes: number;
  /** Of the next byte, in the blob. */
  #position: number;
  #hash: BlobHash | undefined;
  readonly #done: Promise<Digest>[] = [];

  /** @param from where the first byte is in the blob, if that is not its start. */
  constructor(pieceBytes: number, from = 0) {
    this.#pieceBytes = pieceBytes;
    this.#position = from;
  }

  /** Takes chunks in order; calls may overlap. The chunk must not change until the promise settles. */
  async take(chunk: Uint8Array): Promise<void> {
    const waiting: Promise<void>[] = [];
    for (let at = 0; at < chunk.length; ) {
      const left = this.#pieceBytes - (this.#position % this.#pieceBytes);
      const step = Math.min(left, chunk.length - at);
      this.#hash ??= createBlobHash("sha256", this.#pieceBytes);
      waiting.push(this.#hash.update(chunk.subarray(at, at + step)));
      this.#position += step;
      at += step;
      if (step === left) this.#end();
    }
    await Promise.all(waiting);
  }

  /** In hex, once all chunks are taken. */
  async pieces(): Promise<readonly string[]> {
    if (this.#hash !== undefined) this.#end();
    return (await Promise.all(this.#done)).map(digest => digest.slice("sha256:".length));
  }

  /** Frees the hash if the pieces are not needed. */
  async drop(): Promise<void> {
    await this.#hash?.drop();
    this.#hash = undefined;
  }

  #end(): void {
    const digest = this.#hash?.digest();
    this.#hash = undefined;
    if (digest === undefined) return;
    // A failure shows when the pieces are asked for.
    digest.catch(() => undefined);
    this.#done.push(digest);
  }
}
