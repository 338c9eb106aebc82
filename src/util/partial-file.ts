import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { StorageError } from "../errors.ts";
import { createFile, type DiskFile, removeFile, renameFile, syncFolder } from "./disk.ts";
import { errorCode } from "./error-code.ts";
import { quote } from "./format.ts";
import { checkSpace, checkTarget, storageFault } from "./output-checks.ts";

/**
 * A file that gets its name only when it is whole: written as `<path>.partial`, synced, renamed, folder synced. What had
 * the name before stays until then.
 */
export class PartialFile implements AsyncDisposable {
  readonly path: string;
  readonly #partial: string;
  readonly #file: DiskFile;
  readonly #bytes: number;
  #failed = false;
  #isDone = false;

  private constructor(path: string, partial: string, file: DiskFile, bytes: number) {
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
    let file: DiskFile | undefined;
    try {
      // Before the question for space: what an earlier run left has some.
      file = await openExclusive(partial);
      await checkSpace(path, bytes);
      await file.truncate(bytes);
      return new PartialFile(path, partial, file, bytes);
    } catch (cause) {
      if (file !== undefined) await abandon(file, partial);
      throw storageFault(path, bytes, cause);
    }
  }

  /** @throws StorageError; after the first one nothing written counts (a later sync may report success). */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      await this.#file.write(bytes, position);
    } catch (cause) {
      this.#failed = true;
      throw storageFault(this.path, this.#bytes, cause);
    }
  }

  /** Starts writing out what is there, so that the last sync finds little left. */
  async flush(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (cause) {
      this.#failed = true;
      throw storageFault(this.path, this.#bytes, cause);
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
      await renameFile(this.#partial, this.path);
      this.#isDone = true;
      await syncFolder(dirname(this.path));
    } catch (cause) {
      throw storageFault(this.path, this.#bytes, cause);
    }
  }

  /** Without `publish` nothing is left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDone) await this.#file.close();
    else await abandon(this.#file, this.#partial);
  }
}

/** Removes the partial file, unless another run has taken its name. */
async function abandon(file: DiskFile, partial: string): Promise<void> {
  const held = await file.stat().catch(() => undefined);
  if (held !== undefined && (await isNamed(held, partial))) await removeFile(partial).catch(() => undefined);
  await file.close().catch(() => undefined);
}

async function isNamed(held: Stats, path: string): Promise<boolean> {
  const named = await lstat(path).catch(() => undefined);
  return named?.ino === held.ino && named.dev === held.dev;
}

/** A partial file of an earlier, killed run is replaced; anything else under that name is not touched. */
async function openExclusive(partial: string): Promise<DiskFile> {
  try {
    return await createFile(partial, 0o644);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  const stats = await lstat(partial);
  if (!stats.isFile() || stats.nlink !== 1) {
    throw new StorageError(`Cannot write ${quote(partial)}: found something else than a partial file, expected none`, {
      hint: "Remove it, or choose another output name.",
    });
  }
  await removeFile(partial);
  return await createFile(partial, 0o644);
}
