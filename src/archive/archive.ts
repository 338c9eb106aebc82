import type { Compression } from "../compress/detect.ts";
import type { BlobSource } from "../content/contracts.ts";
import { readBlob } from "../content/pump.ts";
import { ArchiveError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { TarEntry } from "../tar/tar-entry.ts";
import { formatBytes, quote } from "../util/format.ts";

/** Works on the body of one entry while a streamed archive is read. */
export type BodyHandler = (blob: BlobSource, signal: AbortSignal) => Promise<void>;

/** Entries by name, and their bytes, from a tar or a folder. No name in an archive ever becomes a path. */
export interface Archive extends AsyncDisposable {
  /** As the user typed it. */
  readonly path: string;
  /** As messages name it, for example `archive "app.tar"`. */
  readonly what: string;
  /** Bytes on disk. */
  readonly fileBytes: number;
  /** How the whole is compressed. */
  readonly compression: Compression | "none";
  /** True for a folder: loaders read files only. */
  readonly isFolder?: boolean | undefined;
  /** By cleaned name, in file order. */
  readonly entries: ReadonlyMap<string, TarEntry>;
  /** Follows links inside the archive to a file. @throws ArchiveError on a cycle, an escape, more than 8 hops. */
  resolve(name: string): TarEntry;
  /** How a file's body is compressed, by its first bytes. */
  compressionOf(entry: TarEntry): Promise<Compression | undefined>;
  /** sha256 of a file's body. */
  digest(entry: TarEntry, signal?: AbortSignal): Promise<Digest>;
  /** A file's body. In a streamed archive only kept bodies can be read. */
  slice(entry: TarEntry): BlobSource;
  /** @throws StorageError if a file that was read has changed since it was opened; cannot check a pipe. */
  confirm?(): Promise<void>;
  /** Only of archives that are read from front to back. */
  readonly streamed?: StreamedBodies | undefined;
}

export interface StreamedBodies {
  /** True if the body is kept, so that `slice` can be read. */
  holds(entry: TarEntry): boolean;
  /**
   * Reads the archive from the front again.
   *
   * @param choose returns the handler of a file's body; undefined skips it.
   * @param isDone true ends the reading early.
   */
  readAgain(
    choose: (entry: TarEntry) => BodyHandler | undefined,
    isDone: () => boolean,
    signal: AbortSignal | undefined,
  ): Promise<void>;
}

/**
 * The bytes of a metadata entry. It must be a regular file: readers disagree on what a link means (security cases T-22 and
 * T-23).
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
