import { fileSliceBlob } from "../../content/blob.ts";
import type { BlobSource } from "../../content/contracts.ts";
import type { PieceHashes } from "../../content/piece-hashes.ts";
import { allEnded } from "../../util/promises.ts";
import type { PartialArchive } from "../partial/partial-archive.ts";

/** Where a part of a blob goes. The whole blob is verified elsewhere. */
export interface ArchivePartOptions {
  readonly archive: PartialArchive;
  /** Among the blobs of the archive's plan. */
  readonly index: number;
  /** Where the part begins in the file. */
  readonly offset: number;
  /** What hashes its pieces. */
  hashes(): PieceHashes | undefined;
  /** Is called when all bytes are there, and the blob is right. */
  onDone(pieces: readonly string[] | undefined): void;
}

export class ArchivePart {
  readonly #options: ArchivePartOptions;
  #hashes: PieceHashes | undefined;

  constructor(options: ArchivePartOptions) {
    this.#options = options;
  }

  /** What an interrupted run has left of it; unchecked. */
  kept(): BlobSource {
    const { archive, index, offset } = this.#options;
    return fileSliceBlob(archive.file.handle, offset, archive.kept(index), archive.file.path);
  }

  /** Discards all bytes. */
  async reset(): Promise<void> {
    const { archive, index } = this.#options;
    if (archive.kept(index) > 0) await archive.reset(index);
  }

  /** Before the first byte. */
  async begin(): Promise<void> {
    await this.#hashes?.drop();
    this.#hashes = this.#options.hashes();
  }

  /**
   * Takes all bytes in order; calls may overlap.
   *
   * @param position from the start of the part.
   * @param isKept true for bytes that are in the file already.
   */
  async take(chunk: Uint8Array, position: number, isKept: boolean): Promise<void> {
    await allEnded([this.#hashes?.take(chunk), isKept ? undefined : this.#write(chunk, position)]);
  }

  async end(): Promise<void> {
    this.#options.onDone(await this.#hashes?.pieces());
    this.#hashes = undefined;
  }

  /** After a failure. */
  async drop(): Promise<void> {
    await this.#hashes?.drop();
    this.#hashes = undefined;
  }

  async #write(chunk: Uint8Array, position: number): Promise<void> {
    const { archive, index, offset } = this.#options;
    await archive.write(chunk, offset + position);
    await archive.wrote(index, position, chunk.length);
  }
}
