import type { Compression } from "../compress/detect.ts";
import type { BlobSource } from "../content/contracts.ts";
import { readBlob } from "../content/pump.ts";
import { ArchiveError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { TarEntry } from "../tar/tar-entry.ts";
import { formatBytes, quote } from "../util/format.ts";

/** What is done with an entry's body as it passes by. */
export type BodyHandler = (blob: BlobSource, signal: AbortSignal) => Promise<void>;

/** Entries by name, and their bytes, whatever they lie in. Nothing in an archive ever becomes a path. */
export interface Archive extends AsyncDisposable {
  /** As the user typed it. */
  readonly path: string;
  /** As messages name it, for example `archive "app.tar"`. */
  readonly what: string;
  /** Bytes as they lie on disk. */
  readonly fileBytes: number;
  /** How the whole is compressed. */
  readonly compression: Compression | "none";
  /** True for a folder: no file that a loader could be given. */
  readonly isFolder?: boolean | undefined;
  /** By cleaned name, in file order. */
  readonly entries: ReadonlyMap<string, TarEntry>;
  /** Follows links inside the archive to a file. @throws ArchiveError on a cycle, an escape, more than 8 hops. */
  resolve(name: string): TarEntry;
  /** How a file's body is compressed, by its first bytes. */
  compressionOf(entry: TarEntry): Promise<Compression | undefined>;
  /** sha256 of a file's body. */
  digest(entry: TarEntry, signal?: AbortSignal): Promise<Digest>;
  /** A file's body. Where it passes by only, and is not held, reading it is an InternalError. */
  slice(entry: TarEntry): BlobSource;
  /** @throws StorageError when what was read has changed since it was opened; not of pipes. */
  confirm?(): Promise<void>;
  /** Only of archives that are read from beginning to end. */
  readonly passing?: SequentialBodies | undefined;
}

export interface SequentialBodies {
  /** True when `slice` can be read. */
  holds(entry: TarEntry): boolean;
  /**
   * Reads the archive once more.
   *
   * @param choose says what to do with a file's body; undefined passes it over.
   * @param isDone true ends the pass early.
   */
  pass(
    choose: (entry: TarEntry) => BodyHandler | undefined,
    isDone: () => boolean,
    signal: AbortSignal | undefined,
  ): Promise<void>;
}

/**
 * A metadata entry, whole. It must be a regular file: what a link stands for differs between readers (security cases
 * T-22 and T-23).
 *
 * @throws ArchiveError "missing-entry", "metadata-link", "too-large".
 */
export async function readMetadata(
  archive: Archive,
  name: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const entry = archive.entries.get(name);
  if (entry === undefined) {
    throw new ArchiveError(
      "missing-entry",
      `Cannot read ${quote(name)} from ${archive.what}: no such entry, expected a file`,
      { hint: "The archive is incomplete or was repacked: save the image again." },
    );
  }
  if (entry.type !== "file") {
    throw new ArchiveError(
      "metadata-link",
      `Cannot read ${quote(name)} from ${archive.what}: found a ${entry.type}, expected a regular file`,
    );
  }
  if (entry.size > limit) {
    throw new ArchiveError(
      "too-large",
      `Cannot read ${quote(name)} from ${archive.what}: ${formatBytes(entry.size)}, expected at most ${formatBytes(limit)}`,
    );
  }
  return await readBlob(archive.slice(entry), entry.size, signal);
}
