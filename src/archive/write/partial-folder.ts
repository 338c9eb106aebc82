import type { Dirent, Stats } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StorageError } from "../../errors.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../../oci/layout.ts";
import { changeMode, makeFolder, removeFolder, removeTree, renameFile, syncFolder } from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { formatBytes, quote } from "../../util/format.ts";
import { checkSpace } from "../../util/output-checks.ts";
import { isOwn } from "../../util/process-identity.ts";
import type { ProcessLock } from "../../util/process-lock.ts";
import type { ArchiveLayout } from "./archive-layout.ts";
import { type BlobFile, checkBlobFiles } from "./check-blob-files.ts";
import { checkFolderTarget, lockFolder, partialOf, stored } from "./folder-lock.ts";

/** All that such a folder holds at its top; nothing else is ever removed. */
const OWN_NAMES: ReadonlySet<string> = new Set([LAYOUT_FILE, INDEX_FILE, "blobs"]);

export interface PartialFolderOptions {
  /** Begins afresh, whatever is there. */
  readonly restart?: boolean | undefined;
  readonly onNote?: ((text: string) => void) | undefined;
}

/**
 * `<path>.partial`, which becomes `path` when it is whole. Its lock is a file beside it. Blobs that an earlier run left
 * in it are kept when the new layout has them and their bytes are right, whatever command wrote them.
 */
export class PartialFolder implements AsyncDisposable {
  readonly partial: string;
  /** Names of blobs that are whole. */
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

  /** @throws StorageError when it is another run's, or not a partial folder, or there is no space; what is there stays. */
  static async open(
    path: string,
    layout: ArchiveLayout,
    { restart, onNote }: PartialFolderOptions,
    signal?: AbortSignal,
  ): Promise<PartialFolder> {
    return await stored(path, async () => {
      // Nothing is looked at before: a run that ends meanwhile would make it wrong.
      const lock = await lockFolder(path);
      try {
        await checkFolderTarget(path);
        const made = await createOrAdopt(partialOf(path));
        const opened = new PartialFolder(path, lock, made, new Map(), onNote);
        try {
          await opened.#prepare(layout, restart === true, signal);
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

  /** Makes it durable and gives it its name. */
  async publish(folders: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    await stored(this.#path, async () => {
      for (const folder of folders) await syncFolder(join(this.partial, folder));
      // What others may do with it follows from the umask, as with any folder.
      await changeMode(this.partial, (await stat(join(this.partial, "blobs"))).mode & 0o777);
      await syncFolder(this.partial);
      if (!(await this.#isNamed())) throw replaced(this.#path);
      signal?.throwIfAborted();
      // Looked at again: a lot may have happened while the blobs came.
      await checkFolderTarget(this.#path);
      // Elsewhere an empty folder is replaced by the rename itself.
      if (process.platform === "win32") await removeFolder(this.#path).catch(() => undefined);
      await renameFile(this.partial, this.#path);
      this.#isDone = true;
      await syncFolder(dirname(this.#path));
    });
  }

  /** Without `publish` it stays for the next run, when a blob in it is whole. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#isDone || !(await this.#isNamed())) return;
      // What cannot be removed now is looked through by the next run.
      if (this.whole.size === 0) return await removeTree(this.partial).catch(() => undefined);
      this.#onNote?.(
        `${quote(this.partial)} keeps ${formatBytes(sum(this.whole))}: run the same command again to go on, or remove it`,
      );
    } finally {
      await this.#lock.remove().catch(() => undefined);
    }
  }

  async #prepare(layout: ArchiveLayout, isRestart: boolean, signal: AbortSignal | undefined): Promise<void> {
    const wanted = new Map(layout.files.flatMap(file => (file.bytes === undefined ? [[file.name, file]] : [])));
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
      const there = `${formatBytes(kept)} of ${formatBytes(layout.totalBytes)}`;
      this.#onNote?.(`Going on with ${quote(this.partial)}: ${there} are there`);
    }
    const largest = Math.max(0, ...layout.files.map(({ size }) => size));
    await checkSpace(this.#path, layout.totalBytes, kept, largest);
  }

  /** Only where nothing is lost. */
  async #removeEmpty(): Promise<void> {
    await removeFolder(join(this.partial, "blobs")).catch(() => undefined);
    await removeFolder(this.partial).catch(() => undefined);
  }

  async #isNamed(): Promise<boolean> {
    const stats = await lstat(this.partial).catch(() => undefined);
    return stats?.ino === this.#made.ino && stats.dev === this.#made.dev;
  }
}

/** Closed to others while it grows. */
async function createOrAdopt(partial: string): Promise<Stats> {
  try {
    await makeFolder(partial, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    await checkLeftOver(partial);
    await changeMode(partial, 0o700);
  }
  return await lstat(partial);
}

/** Removes everything but files that may be wanted blobs. @returns those */
async function sweep(partial: string, wanted: ReadonlyMap<string, BlobFile>): Promise<readonly BlobFile[]> {
  const found: BlobFile[] = [];
  const isFolderOf = (entry: Dirent, below: string): boolean =>
    entry.isDirectory() && [...wanted.keys()].some(name => name.startsWith(`${below}/`));
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(partial, below), { withFileTypes: true })) {
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      const file = entry.isFile() ? wanted.get(name) : undefined;
      if (file !== undefined) found.push(file);
      else if (isFolderOf(entry, name)) await walk(name);
      else await removeTree(join(partial, name));
    }
  };
  await walk("");
  return found;
}

/** @throws StorageError for what no run of ours has left: it is not touched. */
async function checkLeftOver(partial: string): Promise<void> {
  const stats = await lstat(partial);
  const names = stats.isDirectory() && isOwn(stats) ? await readdir(partial) : [""];
  if (names.every(name => OWN_NAMES.has(name.replace(/\.partial$/, "")))) return;
  throw new StorageError(`Cannot write ${quote(partial)}: found something else than a partial folder, expected none`, {
    hint: "Remove it, or choose another output name.",
  });
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
