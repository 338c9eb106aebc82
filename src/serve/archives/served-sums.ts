import { readMetadata } from "../../archive/archive.ts";
import type { ArchiveSource } from "../../archive/archive-source.ts";
import { SUMS_FILE } from "../../archive/entry-names.ts";
import { parseSums } from "../../bundle/sums/parse-sums.ts";
import { ArchiveError, StorageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";

/** Those of an archive of 1 TiB. Larger ones would take the memory of all the rest; then digests alone are checked. */
const MAX_SUMS_BYTES = 16 * 1024 * 1024;
const HASH_BYTES = 32;

/** What the sums of archives claim of the pieces of blobs. They are read when the first large blob is asked for. */
export class ServedSums {
  readonly #members: readonly ArchiveSource[];
  readonly #pieceBytes: number;
  #hashes: Promise<ReadonlyMap<Digest, Buffer>> | undefined;

  constructor(members: readonly ArchiveSource[], pieceBytes: number) {
    this.#members = members;
    this.#pieceBytes = pieceBytes;
  }

  /** @returns sha256 in hex of a piece, by its number from 0; undefined for each if nothing is claimed of the blob. */
  async hashesOf(digest: Digest, size: number): Promise<(piece: number) => string | undefined> {
    if (size <= this.#pieceBytes) return () => undefined;
    this.#hashes ??= this.#read();
    const found = (await this.#hashes).get(digest);
    if (found?.length !== Math.ceil(size / this.#pieceBytes) * HASH_BYTES) return () => undefined;
    return piece => found.toString("hex", piece * HASH_BYTES, (piece + 1) * HASH_BYTES);
  }

  async #read(): Promise<ReadonlyMap<Digest, Buffer>> {
    const hashes = new Map<Digest, Buffer>();
    for (const { archive } of this.#members) {
      const sums = await readSums(archive);
      // Of damaged sums, a hash may be wrong where the blob is right.
      if (sums?.isIntact !== true || sums.pieceBytes !== this.#pieceBytes) continue;
      for (const { digest, part, pieces } of sums.blobs) {
        if (part === undefined) hashes.set(digest, Buffer.from(pieces.join(""), "hex"));
      }
    }
    return hashes;
  }
}

async function readSums(archive: ArchiveSource["archive"]): Promise<ReturnType<typeof parseSums>> {
  if (!archive.entries.has(SUMS_FILE)) return undefined;
  try {
    return parseSums(await readMetadata(archive, SUMS_FILE, MAX_SUMS_BYTES));
  } catch (error) {
    if (error instanceof ArchiveError || error instanceof StorageError) return undefined;
    throw error;
  }
}
