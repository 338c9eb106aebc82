import { dirname } from "node:path";
import { StorageError } from "../errors.ts";
import { createFile, type DiskFile, discardFile, openForUpdate, removeFile, renameFile, syncFolder } from "./disk.ts";
import { errorCode } from "./error-code.ts";
import { quote } from "./format.ts";
import { isNamed, isSameFile } from "./input-guard.ts";
import { checkSpace, checkTarget, storageFault } from "./output-checks.ts";
import { isOwnedByUser } from "./private-file.ts";
import { lstat } from "./read-disk.ts";

/** After the last byte of a partial file, so that a later run knows it as ours. */
const MARK: Buffer = Buffer.from("imgpack: unfinished file\n");

/** @param file open for reading. */
type IsWhole = (file: DiskFile) => Promise<boolean>;

/**
 * A file that appears only when it is complete: it is written as `<path>.partial`, synced, then renamed, and its folder is
 * synced. A file that has the name already stays until then.
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
   * @param options.isWhole whether an unmarked file of that size contains exactly what is to be written: that of a run
   * that was killed just before the rename.
   * @param options.mode without the umask, default 0o644.
   * @throws StorageError with the numbers when it is not, or when the folder cannot be written.
   */
  static async create(
    path: string,
    bytes: number,
    {
      isWhole = async () => false,
      mode = 0o644,
    }: { readonly isWhole?: IsWhole; readonly mode?: number | undefined } = {},
  ): Promise<PartialFile> {
    await checkTarget(path);
    const partial = `${path}.partial`;
    let file: DiskFile | undefined;
    try {
      // Before the check of free space: this removes the partial file of an earlier run.
      file = await openExclusive(partial, bytes, isWhole, mode);
      await checkSpace(path, bytes);
      await file.write(MARK, bytes);
      // A power cut must not leave bytes without it.
      await file.sync();
      return new PartialFile(path, partial, file, bytes);
    } catch (cause) {
      if (file !== undefined) await abandon(file, partial);
      throw storageFault(path, bytes, cause);
    }
  }

  /** @throws StorageError. After that, `publish` fails too: a later sync could report success although bytes are lost. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    try {
      await this.#file.write(bytes, position);
    } catch (cause) {
      this.#failed = true;
      throw storageFault(this.path, this.#bytes, cause);
    }
  }

  /** Writes the bytes so far to the disk, so that the final sync has little to do. */
  async flush(): Promise<void> {
    try {
      await this.#file.datasync();
    } catch (cause) {
      this.#failed = true;
      throw storageFault(this.path, this.#bytes, cause);
    }
  }

  /** Syncs the file and renames it to its final name. */
  async publish(): Promise<void> {
    if (this.#failed) {
      throw new StorageError(
        `Cannot write ${quote(this.path)}: an earlier write failed, expected all writes to succeed`,
      );
    }
    try {
      await this.#checkOwn(this.#bytes + MARK.length);
      // With the mark, because this may take long. What is left to do without it takes an instant.
      await this.#file.sync();
      await this.#file.truncate(this.#bytes);
      await this.#file.sync();
      // Again, because the sync may have taken long.
      await this.#checkOwn(this.#bytes);
      await renameFile(this.#partial, this.path);
      this.#isDone = true;
      await syncFolder(dirname(this.path));
    } catch (cause) {
      throw storageFault(this.path, this.#bytes, cause);
    }
  }

  async #checkOwn(size: number): Promise<void> {
    const held = await this.#file.stat();
    if (held.size === size && (await isNamed(held, this.#partial))) return;
    throw new StorageError(
      `Cannot write ${quote(this.path)}: ${quote(this.#partial)} was replaced meanwhile, expected to own it`,
      { hint: "Another run may be writing the same file: wait for it, or choose another name." },
    );
  }

  /** Removes the partial file, unless it was published. */
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

/** Replaces the partial file of a killed run; refuses anything else under that name. */
async function openExclusive(partial: string, bytes: number, isWhole: IsWhole, mode: number): Promise<DiskFile> {
  try {
    return await createFile(partial, mode);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  if (!(await isLeftOver(partial, bytes, isWhole))) {
    throw new StorageError(`Cannot write ${quote(partial)}: found a file that imgpack did not write, expected none`, {
      hint: "Rename or remove it, or choose another output name.",
    });
  }
  await discardFile(partial);
  return await createFile(partial, mode);
}

/** Whether it ends with the mark. An empty file was left by a run that ended before it wrote the mark. */
async function isLeftOver(partial: string, bytes: number, isWhole: IsWhole): Promise<boolean> {
  const named = await lstat(partial);
  if (!named.isFile() || named.nlink !== 1 || !isOwnedByUser(named)) return false;
  if (named.size === 0) return true;
  await using file = await openForUpdate(partial);
  if (!isSameFile(await file.stat(), named)) return false;
  const end = Buffer.alloc(MARK.length);
  await file.read(end, Math.max(0, named.size - MARK.length));
  return end.equals(MARK) || (named.size === bytes && (await isWhole(file)));
}
