import {
  type BlobToSum,
  type FileToSum,
  formatSums,
  type SumsContents,
  sumsBytes,
} from "../../bundle/sums/format-sums.ts";
import type { SummedBlob } from "../../bundle/sums/sums.ts";
import { PieceHashes } from "../../content/piece-hashes.ts";
import { InternalError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { digestInName } from "../blob-name.ts";
import { SIGNATURE_FILE } from "../entry-names.ts";
import type { ArchiveFile } from "./archive-file.ts";

export interface SumsOptions {
  readonly pieceBytes: number;
  /** True if entries come in the order that the lock gives. */
  readonly isSorted: boolean;
  /** Whether the lock names a blob: all other entries are copied. */
  readonly isLocked: (digest: Digest) => boolean;
  /** Names of files that other volumes have as well. Default: none. */
  readonly elsewhere?: ReadonlySet<string>;
}

/** The sums of one archive, whose size is known before its first blob, and whose bytes after the last one. */
export class PlannedSums {
  /** Bytes. */
  readonly size: number;
  readonly #options: SumsOptions;
  readonly #files: readonly FileToSum[];
  readonly #order: readonly string[] | undefined;
  readonly #blobs: ReadonlyMap<Digest, BlobToSum>;

  /** @param entries of the archive in order, without the sums. */
  constructor(entries: readonly ArchiveFile[], options: SumsOptions) {
    this.#options = options;
    this.#files = entries.flatMap(({ name, bytes }): readonly FileToSum[] => {
      const digest = digestInName(name);
      if (bytes === undefined || (digest !== undefined && options.isLocked(digest))) return [];
      return [{ name, bytes, copy: copyOf(name, options) }];
    });
    this.#order = options.isSorted ? undefined : entries.map(({ name }) => name);
    const { pieceBytes } = options;
    this.#blobs = new Map(
      entries.flatMap(({ digest, size, ...file }): readonly (readonly [Digest, BlobToSum])[] => {
        // A part has no digest of its own.
        const part = "part" in file ? file.part : undefined;
        return digest === undefined || (size <= pieceBytes && part === undefined)
          ? []
          : [[digest, { digest, size, part }]];
      }),
    );
    this.size = sumsBytes(this.#contents(new Map(), new Map()));
  }

  /** Of blobs that have more than one piece. */
  get digests(): Iterable<Digest> {
    return this.#blobs.keys();
  }

  /** What hashes the pieces of a blob; undefined for a blob without any. */
  hashes(digest: Digest): PieceHashes | undefined {
    const blob = this.#blobs.get(digest);
    return blob && new PieceHashes(this.#options.pieceBytes, blob.part?.from);
  }

  /** @param found files that have other bytes than planned, by name: signatures. */
  bytes(
    pieces: ReadonlyMap<Digest, SummedBlob["pieces"]>,
    found: ReadonlyMap<string, Uint8Array> = new Map(),
  ): Uint8Array {
    const bytes = Buffer.from(formatSums(this.#contents(pieces, found)));
    if (bytes.length === this.size) return bytes;
    throw new InternalError(`Cannot write sums: ${bytes.length} bytes, planned ${this.size}`);
  }

  #contents(pieces: ReadonlyMap<Digest, SummedBlob["pieces"]>, found: ReadonlyMap<string, Uint8Array>): SumsContents {
    return {
      pieceBytes: this.#options.pieceBytes,
      files: this.#files.map(file => ({ ...file, bytes: found.get(file.name) ?? file.bytes })),
      order: this.#order,
      blobs: [...this.#blobs.values()].map(blob => ({ ...blob, pieces: pieces.get(blob.digest) })),
    };
  }
}

function copyOf(name: string, { elsewhere }: SumsOptions): "text" | "base64" | undefined {
  if (elsewhere?.has(name) === true) return undefined;
  return name === SIGNATURE_FILE ? "base64" : "text";
}
