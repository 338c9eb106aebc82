import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, statfs, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzip } from "../compress/gunzip.ts";
import { fileSliceBlob } from "../content/blob.ts";
import { type IntegrityError, StorageError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { formatBytes, quote } from "../util/format.ts";

export interface OpenArchiveOptions {
  /** Hears what a person should know: a temporary file, a missing end marker. */
  readonly onNote?: ((message: string) => void) | undefined;
  /**
   * Hears of manifests and configs that are not what their digest says, and goes on without their images; without it the
   * first one is thrown.
   */
  readonly onDamage?: ((blob: Digest, error: IntegrityError) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Archives of images shrink two to ten times. */
const PLAUSIBLE_RATIO = 20;

/**
 * Inflates a gzip archive into a temporary file, because its metadata stands at its end and layers are read in place.
 * The file has no name from its first moment on, so it is gone when the process ends, however that happens.
 *
 * @throws StorageError before the first byte when the space is known not to suffice; ArchiveError for bad gzip data.
 */
export async function spoolGzip(
  file: FileHandle,
  size: number,
  path: string,
  { onNote, signal }: OpenArchiveOptions,
): Promise<FileHandle> {
  const folder = tmpdir();
  const expected = await inflatedBytes(file, size);
  const free = await freeBytes(folder, path);
  if (expected > free) throw noSpace(path, folder, free, expected);
  onNote?.(
    `Unpacking archive ${quote(path)} to a temporary file in ${quote(folder)}: about ${formatBytes(expected)}, removed at the end`,
  );
  const target = await openNameless(folder, path);
  try {
    let position = 0;
    const source = await fileSliceBlob(file, 0, size, path).open(undefined, signal);
    for await (const part of gunzip(source, `archive ${quote(path)}`, signal)) {
      for (let written = 0; written < part.length; ) {
        const { bytesWritten } = await target.write(part, written, part.length - written, position);
        written += bytesWritten;
        position += bytesWritten;
      }
    }
    return target;
  } catch (error) {
    await target.close();
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
    throw noSpace(path, folder, free, expected, error);
  }
}

/**
 * From the last member's length field (RFC 1952 section 2.3.1); at least the compressed size. A cut file ends in other
 * bytes: what would be an unusual ratio is not believed, and a full disk is met when it is full.
 */
async function inflatedBytes(file: FileHandle, size: number): Promise<number> {
  const trailer = Buffer.alloc(4);
  await file.read(trailer, 0, 4, Math.max(0, size - 4));
  const told = trailer.readUInt32LE(0);
  return told > PLAUSIBLE_RATIO * size ? size : Math.max(told, size);
}

async function freeBytes(folder: string, path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (cause) {
    throw noFolder(path, folder, cause);
  }
}

async function openNameless(folder: string, path: string): Promise<FileHandle> {
  const temporary = join(folder, `imgpack-${randomBytes(12).toString("hex")}`);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, flags, 0o600);
    await unlink(temporary);
    return handle;
  } catch (cause) {
    await handle?.close();
    throw noFolder(path, folder, cause);
  }
}

function noFolder(path: string, folder: string, cause: unknown): StorageError {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  const found = code === "ENOENT" ? "no such folder" : code === "EACCES" ? "permission denied" : code;
  return new StorageError(
    `Cannot unpack archive ${quote(path)} to ${quote(folder)}: ${found}, expected a writable folder`,
    { cause, hint: "Set TMPDIR to a folder that can be written, or unpack the archive with gunzip first." },
  );
}

function noSpace(path: string, folder: string, free: number, expected: number, cause?: unknown): StorageError {
  return new StorageError(
    `Cannot unpack archive ${quote(path)} to ${quote(folder)}: ${formatBytes(free)} free, expected ${formatBytes(expected)}`,
    { cause, hint: "Set TMPDIR to a folder with more space, or unpack the archive with gunzip first." },
  );
}
