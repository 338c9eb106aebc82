import { constants, type Stats } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { detectCompression, MAGIC_BYTES } from "../compress/detect.ts";
import { fileSliceBlob } from "../content/blob.ts";
import type { BlobSource } from "../content/contracts.ts";
import { readBlob } from "../content/pump.ts";
import { ArchiveError, StorageError } from "../errors.ts";
import type { TarEntry } from "../tar/tar-entry.ts";
import { indexTar, type TarIndex } from "../tar/tar-index.ts";
import { formatBytes, quote } from "../util/format.ts";
import { type OpenArchiveOptions, spoolGzip } from "./spool.ts";

/** An archive that is open for positioned reads. Nothing in it ever becomes a path. */
export class ArchiveFile implements AsyncDisposable {
  /** As the user typed it. */
  readonly path: string;
  /** Bytes of the file as it lies on disk. */
  readonly fileBytes: number;
  readonly compression: "none" | "gzip";
  readonly index: TarIndex;
  readonly #file: FileHandle;

  constructor(path: string, file: FileHandle, fileBytes: number, compression: "none" | "gzip", index: TarIndex) {
    this.path = path;
    this.fileBytes = fileBytes;
    this.compression = compression;
    this.index = index;
    this.#file = file;
  }

  /** The archive as messages name it. */
  get what(): string {
    return `archive ${quote(this.path)}`;
  }

  has(name: string): boolean {
    return this.index.entries.has(name);
  }

  slice(entry: TarEntry): BlobSource {
    return fileSliceBlob(this.#file, entry.bodyOffset, entry.size, this.path);
  }

  /** First bytes of an entry: enough to tell how it is compressed. */
  async start(entry: TarEntry): Promise<Uint8Array> {
    const start = Buffer.alloc(Math.min(MAGIC_BYTES, entry.size));
    await this.#file.read(start, 0, start.length, entry.bodyOffset);
    return start;
  }

  /**
   * A metadata entry, whole. It must be a regular file: what a link stands for differs between readers (security cases
   * T-22 and T-23).
   *
   * @throws ArchiveError "missing-entry", "metadata-link", "too-large".
   */
  async readMetadata(name: string, limit: number, signal?: AbortSignal): Promise<Uint8Array> {
    const entry = this.index.entries.get(name);
    if (entry === undefined) {
      throw new ArchiveError(
        "missing-entry",
        `Cannot read ${quote(name)} from ${this.what}: no such entry, expected a file`,
        {
          hint: "The archive is incomplete or was repacked: save the image again.",
        },
      );
    }
    if (entry.type !== "file") {
      throw new ArchiveError(
        "metadata-link",
        `Cannot read ${quote(name)} from ${this.what}: found a ${entry.type}, expected a regular file`,
      );
    }
    if (entry.size > limit) {
      throw new ArchiveError(
        "too-large",
        `Cannot read ${quote(name)} from ${this.what}: ${formatBytes(entry.size)}, expected at most ${formatBytes(limit)}`,
      );
    }
    return await readBlob(this.slice(entry), entry.size, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/**
 * Opens an image archive, plain or gzip, recognised by its content.
 *
 * @throws StorageError when the file cannot be opened; ArchiveError when it is no archive.
 */
export async function openArchiveFile(path: string, options: OpenArchiveOptions = {}): Promise<ArchiveFile> {
  const { file, stats } = await openFile(path);
  const what = `archive ${quote(path)}`;
  let plain = file;
  try {
    const start = Buffer.alloc(MAGIC_BYTES);
    await file.read(start, 0, MAGIC_BYTES, 0);
    const compression = detectCompression(start);
    if (compression === "gzip") {
      plain = await spoolGzip(file, stats.size, path, options);
      await file.close();
    } else if (compression !== undefined) {
      throw new ArchiveError(
        "compressed",
        `Cannot read ${what}: found ${compression} data, expected a plain or gzip archive`,
        {
          hint: `Unpack it first, for example with "${compression === "bzip2" ? "bzip2" : compression} -d".`,
        },
      );
    }
    const { size } = await plain.stat();
    const read = async (target: Uint8Array, position: number): Promise<number> =>
      (await plain.read(target, 0, target.length, position)).bytesRead;
    const index = await indexTar({ size, read }, { what, signal: options.signal });
    for (const warning of index.warnings) options.onNote?.(warning.message);
    return new ArchiveFile(path, plain, stats.size, compression ?? "none", index);
  } catch (error) {
    await plain.close();
    if (plain !== file) await file.close().catch(() => undefined);
    throw error;
  }
}

async function openFile(path: string): Promise<{ readonly file: FileHandle; readonly stats: Stats }> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw await openFault(path, cause);
  }
  const stats = await file.stat();
  if (stats.isFile()) return { file, stats };
  await file.close();
  const found = stats.isDirectory() ? "a folder" : "a pipe or device";
  throw new StorageError(`Cannot read archive ${quote(path)}: found ${found}, expected a file`, {
    hint: "Save the image to a file first, or pack the folder with tar.",
  });
}

async function openFault(path: string, cause: unknown): Promise<StorageError> {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown fault";
  if (code !== "ENOENT") {
    const found = code === "EACCES" ? "permission denied" : code;
    return new StorageError(`Cannot read archive ${quote(path)}: ${found}, expected a readable file`, { cause });
  }
  const near = (await readdir(dirname(path)).catch((): string[] => [])).filter(name => isNear(name, basename(path)));
  const hint =
    near.length > 0
      ? `The folder holds ${near.slice(0, 3).map(quote).join(", ")}.`
      : "Check the path; it is taken from the current folder unless it begins with a slash.";
  return new StorageError(`Cannot read archive ${quote(path)}: no such file, expected an image archive`, {
    cause,
    hint,
  });
}

function isNear(name: string, wanted: string): boolean {
  const stem = (text: string): string => text.toLowerCase().replace(/\.(tar|tgz|gz|zst|xz|bz2|oci).*$/, "");
  return stem(name) === stem(wanted) && name !== wanted;
}
