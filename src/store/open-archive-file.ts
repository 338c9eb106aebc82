import { constants, type Stats } from "node:fs";
import { type FileHandle, open, readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { decompress } from "../compress/decompress.ts";
import { detectCompression, MAGIC_BYTES } from "../compress/detect.ts";
import { fileSliceBlob } from "../content/blob.ts";
import { StorageError } from "../errors.ts";
import { quote } from "../util/format.ts";
import type { Archive, OpenArchiveOptions } from "./archive.ts";
import { FolderArchive } from "./folder-archive.ts";
import { ScannedArchive, type ScanOptions } from "./scanned-archive.ts";
import { TarArchive } from "./tar-archive.ts";

/** A file that is open, or a pipe, which gives its bytes once. */
export interface ArchiveInput extends AsyncDisposable {
  readonly path: string;
  /** Undefined for a pipe. */
  readonly file: { readonly handle: FileHandle; readonly size: number } | undefined;
  /** The first bytes have been read already. */
  readonly start: Uint8Array;
}

/**
 * Opens an image archive by its content: a plain tar for reads in any order; a compressed one for passes from beginning
 * to end, the first of which is made here; or a folder.
 *
 * @throws StorageError when the file cannot be opened; ArchiveError when it is no archive.
 */
export async function openArchiveFile(path: string, options: OpenArchiveOptions = {}): Promise<Archive> {
  const { handle, stats } = await openPath(path);
  try {
    if (stats.isDirectory()) {
      await handle.close();
      return await FolderArchive.open(path, options);
    }
    if (!stats.isFile()) throw notAFile(path);
    const scan = await fileScan(path, handle, stats.size, options);
    if (scan.compression === "none") return await TarArchive.open(path, handle, stats.size, options);
    return await ScannedArchive.scan(scan);
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
}

/** How a regular file is read from its beginning to its end. */
export async function fileScan(
  path: string,
  handle: FileHandle,
  size: number,
  { onNote, signal }: OpenArchiveOptions,
): Promise<ScanOptions> {
  const start = Buffer.alloc(MAGIC_BYTES);
  await handle.read(start, 0, MAGIC_BYTES, 0);
  const compression = detectCompression(start) ?? "none";
  const open = async (signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> => {
    const bytes = await fileSliceBlob(handle, 0, size, path).open(undefined, signal);
    return compression === "none" ? bytes : decompress(bytes, compression, `archive ${quote(path)}`, signal);
  };
  return { path, fileBytes: () => size, compression, open, isReopenable: true, file: handle, onNote, signal };
}

export async function openPath(path: string): Promise<{ readonly handle: FileHandle; readonly stats: Stats }> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw await openFault(path, cause);
  }
  return { handle, stats: await handle.stat() };
}

function notAFile(path: string): StorageError {
  return new StorageError(`Cannot read archive ${quote(path)}: found a pipe or device, expected a file`, {
    hint: "Save the image to a file first.",
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
