import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, rename, statfs, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { StorageError } from "../errors.ts";
import { formatBytes, quote } from "./format.ts";
import { syncFolder } from "./sync-folder.ts";

const SPACE_CODES: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * A file that gets its name only when it is whole: written as `<path>.partial`, synced, renamed, folder synced. What had
 * the name before stays until then.
 */
export class PartialFile implements AsyncDisposable {
  readonly path: string;
  readonly #partial: string;
  readonly #file: FileHandle;
  readonly #bytes: number;
  #failed = false;
  #isDone = false;

  private constructor(path: string, partial: string, file: FileHandle, bytes: number) {
    this.path = path;
    this.#partial = partial;
    this.#file = file;
    this.#bytes = bytes;
  }

  /**
   * @param bytes final size; the space for it must be free.
   * @throws StorageError with the numbers when it is not, or when the folder cannot be written.
   */
  static async create(path: string, bytes: number): Promise<PartialFile> {
    await checkTarget(path);
    const partial = `${path}.partial`;
    let file: FileHandle | undefined;
    try {
      // Before the question for space: what an earlier run left has some.
      file = await openExclusive(partial);
      await checkSpace(path, bytes);
      await file.truncate(bytes);
      return new PartialFile(path, partial, file, bytes);
    } catch (cause) {
      if (file !== undefined) await abandon(file, partial);
      throw storageError(path, bytes, cause);
    }
  }

  /** @throws StorageError; after the first one nothing written counts (a later sync may report success). */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      for (let written = 0; written < bytes.length; ) {
        const result = await this.#file.write(bytes, written, bytes.length - written, position + written);
        written += result.bytesWritten;
      }
    } catch (cause) {
      this.#failed = true;
      throw storageError(this.path, this.#bytes, cause);
    }
  }

  /** Starts writing out what is there, so that the last sync finds little left. */
  async flush(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (cause) {
      this.#failed = true;
      throw storageError(this.path, this.#bytes, cause);
    }
  }

  /** Makes the file durable and gives it its name. */
  async publish(): Promise<void> {
    if (this.#failed) {
      throw new StorageError(`Cannot write ${quote(this.path)}: an earlier write failed, expected all to succeed`);
    }
    try {
      await this.#file.sync();
      const held = await this.#file.stat();
      if (held.size !== this.#bytes || !(await isNamed(held, this.#partial))) {
        throw new StorageError(
          `Cannot write ${quote(this.path)}: ${quote(this.#partial)} was replaced meanwhile, expected to own it`,
          {
            hint: "Another run may be writing the same file: wait for it, or choose another name.",
          },
        );
      }
      await rename(this.#partial, this.path);
      this.#isDone = true;
      await syncFolder(dirname(this.path));
    } catch (cause) {
      throw storageError(this.path, this.#bytes, cause);
    }
  }

  /** Without `publish` nothing is left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDone) await this.#file.close();
    else await abandon(this.#file, this.#partial);
  }
}

/** Removes the partial file, unless another run has taken its name. */
async function abandon(file: FileHandle, partial: string): Promise<void> {
  const held = await file.stat().catch(() => undefined);
  if (held !== undefined && (await isNamed(held, partial))) await unlink(partial).catch(() => undefined);
  await file.close().catch(() => undefined);
}

async function isNamed(held: Stats, path: string): Promise<boolean> {
  const named = await lstat(path).catch(() => undefined);
  return named?.ino === held.ino && named.dev === held.dev;
}

async function checkTarget(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined || stats.isFile()) return;
  const found = stats.isDirectory() ? "a folder" : stats.isSymbolicLink() ? "a symbolic link" : "a pipe or device";
  throw new StorageError(`Cannot write ${quote(path)}: found ${found}, expected a file or nothing`, {
    hint: "Name a file to write, such as images.tar.",
  });
}

async function checkSpace(path: string, bytes: number): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(dirname(path));
  const free = bavail * bsize;
  // Some network and user-space file systems tell no size at all.
  if (free >= bytes || blocks === 0) return;
  throw new StorageError(`Cannot write ${quote(path)}: ${formatBytes(free)} free, expected ${formatBytes(bytes)}`, {
    hint: "Free some space, or write to another disk.",
  });
}

/** A partial file of an earlier, killed run is replaced; anything else under that name is not touched. */
async function openExclusive(partial: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    return await open(partial, flags, 0o644);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  const stats = await lstat(partial);
  if (!stats.isFile() || stats.nlink !== 1) {
    throw new StorageError(`Cannot write ${quote(partial)}: found something else than a partial file, expected none`, {
      hint: "Remove it, or choose another output name.",
    });
  }
  await unlink(partial);
  return await open(partial, flags, 0o644);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function storageError(path: string, bytes: number, cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause;
  const code = codeOf(cause);
  if (SPACE_CODES.has(code)) {
    const found =
      code === "ENOSPC" ? "no space left" : code === "EDQUOT" ? "quota used up" : "file too large for this file system";
    return new StorageError(`Cannot write ${quote(path)}: ${found}, expected room for ${formatBytes(bytes)}`, {
      cause,
      hint: "Free some space or write to another disk, then run the same command again.",
    });
  }
  const found =
    code === "ENOENT"
      ? "no such folder"
      : code === "EACCES" || code === "EPERM"
        ? "permission denied"
        : code === "EROFS"
          ? "read-only file system"
          : code || String(cause);
  return new StorageError(`Cannot write ${quote(path)}: ${found}, expected a writable folder`, {
    cause,
    hint: "Choose another output, in a folder that exists and that you may write to.",
  });
}
