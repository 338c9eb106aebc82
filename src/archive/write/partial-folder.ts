import type { Dirent, Stats } from "node:fs";
import { dirname, join } from "node:path";
import { StorageError } from "../../errors.ts";
import { largest } from "../../util/append.ts";
import {
  changeMode,
  createFile,
  makeFolder,
  removeFile,
  removeFolder,
  removeTree,
  renameFile,
  syncFolder,
} from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { formatBytes, quote } from "../../util/format.ts";
import type { ProcessLock } from "../../util/lock/process-lock.ts";
import { checkSpace } from "../../util/output-checks.ts";
import { isOwnedByUser, readOwnFile } from "../../util/private-file.ts";
import { lstat, readdir, stat } from "../../util/read-disk.ts";
import type { ArchiveContents } from "./archive-contents.ts";
import { type BlobFile, checkBlobFiles } from "./check-blob-files.ts";
import { checkFolderTarget, withFolderErrors } from "./check-folder-target.ts";
import { hasNames } from "./finished-folder.ts";
import { folderLock, partialOf } from "./folder-lock.ts";

/** A file in a partial folder, until it is complete. Without it, nothing in a folder is ever removed. */
const MARKER = "imgpack-unfinished";
const MARK = "imgpack: unfinished folder\n";

export interface PartialFolderOptions {
  /** Discards what an interrupted run has left. */
  readonly restart?: boolean | undefined;
  readonly onNote?: ((text: string) => void) | undefined;
}

/**
 * `<path>.partial`, which is renamed to `path` when it is complete. Its lock is a file next to it. Blobs of an interrupted
 * run, whatever its command, are kept if the new contents need them and their bytes are right.
 */
export class PartialFolder implements AsyncDisposable {
  readonly partial: string;
  /** Sizes of complete blobs, by name. */
  readonly whole: Map<string, number>;
  readonly #path: string;
  readonly #lock: ProcessLock;
  readonly #made: Stats;
  readonly #onNote: PartialFolderOptions["onNote"];
  #isDone = false;

  private constructor(
    path: string,
    lock: ProcessLock,
    made: Stats,
    whole: Map<string, number>,
    onNote: PartialFolderOptions["onNote"],
  ) {
    this.partial = partialOf(path);
    this.whole = whole;
    this.#path = path;
    this.#lock = lock;
    this.#made = made;
    this.#onNote = onNote;
  }

  /** @throws StorageError, without changing anything, if another process writes it, it is no partial folder, or there is no space. */
  static async open(
    path: string,
    contents: ArchiveContents,
    { restart, onNote }: PartialFolderOptions,
    signal?: AbortSignal,
  ): Promise<PartialFolder> {
    return await withFolderErrors(path, async () => {
      // First, because another run may end and change the folder until the lock is taken.
      const lock = await folderLock(path, { onNote, signal });
      try {
        await checkFolderTarget(path);
        const made = await createOrAdopt(partialOf(path), contents);
        const opened = new PartialFolder(path, lock, made, new Map(), onNote);
        try {
          await opened.#prepare(contents, restart === true, signal);
        } catch (error) {
          await opened.#removeEmpty();
          throw error;
        }
        return opened;
      } catch (error) {
        await lock.remove().catch(() => undefined);
        throw error;
      }
    });
  }

  /** @throws StorageError if another process writes the folder now. */
  async checkOwned(): Promise<void> {
    await this.#lock.checkOwned();
  }

  /** Makes the folder durable and renames it. */
  async publish(folders: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    await withFolderErrors(this.#path, async () => {
      for (const folder of folders) await syncFolder(join(this.partial, folder));
      // The permissions of others depend on the umask, as with any folder.
      await changeMode(this.partial, (await stat(join(this.partial, "blobs"))).mode & 0o777);
      if (!(await this.#isNamed())) throw replaced(this.#path);
      signal?.throwIfAborted();
      await this.checkOwned();
      // Checked again: writing the blobs may have taken long.
      await checkFolderTarget(this.#path);
      // On other systems the rename itself replaces an empty folder.
      if (process.platform === "win32") await removeFolder(this.#path).catch(() => undefined);
      await removeFile(join(this.partial, MARKER));
      await syncFolder(this.partial);
      await renameFile(this.partial, this.#path);
      this.#isDone = true;
      await syncFolder(dirname(this.#path));
    });
  }

  /** Without `publish`, the folder is kept for the next run if it contains a complete blob. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#isDone || !(await this.#isNamed()) || !(await this.#lock.isOwned())) return;
      // The next run removes the rest.
      if (this.whole.size === 0) return await removeTree(this.partial).catch(() => undefined);
      this.#onNote?.(
        `${quote(this.partial)} keeps ${formatBytes(sum(this.whole))}: run the same command again to resume, or remove it`,
      );
    } finally {
      await this.#lock.remove().catch(() => undefined);
    }
  }

  async #prepare(contents: ArchiveContents, isRestart: boolean, signal: AbortSignal | undefined): Promise<void> {
    const wanted = new Map(contents.files.flatMap(file => (file.digest === undefined ? [] : [[file.name, file]])));
    const found = await sweep(this.partial, isRestart ? new Map() : wanted);
    const bytes = found.reduce((total, { size }) => total + size, 0);
    if (found.length > 0) this.#onNote?.(`Checking ${formatBytes(bytes)} in ${quote(this.partial)}`);
    const take = async ({ name, size }: BlobFile, isWhole: boolean): Promise<void> => {
      if (isWhole) this.whole.set(name, size);
      else await removeTree(join(this.partial, name));
    };
    await checkBlobFiles(this.partial, found, take, signal);
    const kept = sum(this.whole);
    if (found.length > 0) {
      const state = `${formatBytes(kept)} of ${formatBytes(contents.totalBytes)} kept`;
      this.#onNote?.(`Resuming ${quote(this.partial)}: ${state}`);
    }
    const largestBytes = largest(contents.files.map(({ size }) => size));
    await checkSpace(this.#path, contents.totalBytes, kept, largestBytes);
  }

  /** Only if nothing is lost. */
  async #removeEmpty(): Promise<void> {
    await removeFolder(join(this.partial, "blobs")).catch(() => undefined);
    const [name, ...others] = await readdir(this.partial).catch(() => []);
    if (name === MARKER && others.length === 0) await removeFile(join(this.partial, MARKER)).catch(() => undefined);
    await removeFolder(this.partial).catch(() => undefined);
  }

  async #isNamed(): Promise<boolean> {
    const stats = await lstat(this.partial).catch(() => undefined);
    return stats?.ino === this.#made.ino && stats.dev === this.#made.dev;
  }
}

/** Others have no access while it is written. */
async function createOrAdopt(partial: string, contents: ArchiveContents): Promise<Stats> {
  try {
    await makeFolder(partial, 0o700);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    await checkLeftOver(partial, contents);
    await changeMode(partial, 0o700);
  }
  await mark(partial);
  return await lstat(partial);
}

/** Removes everything but files that may be wanted blobs. @returns these files. */
async function sweep(partial: string, wanted: ReadonlyMap<string, BlobFile>): Promise<readonly BlobFile[]> {
  const found: BlobFile[] = [];
  const isFolderOf = (entry: Dirent, below: string): boolean =>
    entry.isDirectory() && [...wanted.keys()].some(name => name.startsWith(`${below}/`));
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(partial, below), { withFileTypes: true })) {
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      const file = entry.isFile() ? wanted.get(name) : undefined;
      if (name === MARKER) continue;
      if (file !== undefined) found.push(file);
      else if (isFolderOf(entry, name)) await walk(name);
      else await removeTree(join(partial, name));
    }
  };
  await walk("");
  return found;
}

/** Durable before any blob: a folder without the mark is not ours after a power cut. */
async function mark(partial: string): Promise<void> {
  if ((await readOwnFile(join(partial, MARKER))) === MARK) return;
  await removeTree(join(partial, MARKER));
  {
    await using file = await createFile(join(partial, MARKER), 0o600);
    await file.write(Buffer.from(MARK));
    await file.sync();
  }
  await syncFolder(partial);
}

/** @throws StorageError for a path that is not ours; it is not changed. */
async function checkLeftOver(partial: string, contents: ArchiveContents): Promise<void> {
  const stats = await lstat(partial);
  if (stats.isDirectory() && isOwnedByUser(stats)) {
    const names = await readdir(partial);
    // A run that ended right after it made the folder left it empty, or with a mark that is not whole.
    if (names.every(name => name === MARKER)) return;
    if ((await readOwnFile(join(partial, MARKER))) === MARK) return;
    // A run that ended right before the last rename left it complete and without the mark.
    if (await hasNames(partial, contents)) return;
  }
  throw new StorageError(
    `Cannot write ${quote(partial)}: found something else than a partial folder of imgpack, expected none`,
    { hint: "Rename or remove it, or choose another output name." },
  );
}

function replaced(path: string): StorageError {
  return new StorageError(
    `Cannot write folder ${quote(path)}: ${quote(partialOf(path))} was replaced meanwhile, expected to own it`,
    { hint: "Another run may be writing the same folder: wait for it, or choose another name." },
  );
}

function sum(sizes: ReadonlyMap<string, number>): number {
  return [...sizes.values()].reduce((total, size) => total + size, 0);
}
