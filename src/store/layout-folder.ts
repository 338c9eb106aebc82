import type { Stats } from "node:fs";
import { chmod, lstat, mkdir, readdir, rename, rm, rmdir, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { BlobSource, ImageTarget, Presence, SettledRoot, TargetSession } from "../content/contracts.ts";
import { pumpBlob } from "../content/pump.ts";
import { InternalError, StorageError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../oci/layout.ts";
import { syncFolder } from "../util/disk.ts";
import { formatBytes, quote } from "../util/format.ts";
import { PartialFile } from "../util/partial-file.ts";
import { type ArchiveLayout, type ArchiveLayoutOptions, layOutArchive } from "./archive-layout.ts";

/** All that such a folder holds at its top; nothing else is ever removed. */
const OWN_NAMES: ReadonlySet<string> = new Set([LAYOUT_FILE, INDEX_FILE, "blobs"]);

/**
 * An OCI image layout as a folder, written as `<path>.partial`, synced, renamed, the folder above synced. A blob gets its
 * name when its bytes were hashed.
 *
 * @param path absent, or an empty folder, which is replaced.
 */
export function layoutFolder(path: string, options: Pick<ArchiveLayoutOptions, "platform">): ImageTarget {
  return {
    async begin(plan) {
      const layout = layOutArchive(plan, { ...options, format: "oci" });
      const place = resolve(path);
      const session = new FolderSession(place, layout, await createPartial(place, layout.totalBytes));
      try {
        await session.prepare();
      } catch (error) {
        await session[Symbol.asyncDispose]();
        throw error;
      }
      return session;
    },
  };
}

class FolderSession implements TargetSession {
  readonly #path: string;
  readonly #partial: string;
  readonly #layout: ArchiveLayout;
  readonly #made: Stats;
  readonly #missing: Set<string>;
  #isDone = false;

  constructor(path: string, layout: ArchiveLayout, made: Stats) {
    this.#path = path;
    this.#partial = partialOf(path);
    this.#layout = layout;
    this.#made = made;
    this.#missing = new Set(layout.files.map(({ name }) => name));
  }

  async prepare(): Promise<void> {
    await stored(this.#path, async () => {
      await mkdir(join(this.#partial, "blobs"));
      for (const folder of this.#folders()) await mkdir(join(this.#partial, folder));
    });
    for (const { name, bytes } of this.#layout.files) {
      if (bytes === undefined) continue;
      await this.#write(name, bytes.length, async file => await file.write(bytes, 0));
    }
  }

  async has(): Promise<Presence> {
    return "absent";
  }

  async put({ digest, size }: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void> {
    const name = this.#layout.names.get(digest);
    // Manifests were written from the plan.
    if (name === undefined) return;
    await this.#write(name, size, async file => {
      await pumpBlob(blob, async (chunk, position) => await file.write(chunk, position), signal);
    });
  }

  async commit(_roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void> {
    const [missing] = this.#missing;
    if (missing !== undefined) throw new InternalError(`Cannot finish folder: ${missing} was never written`);
    await stored(this.#path, async () => {
      for (const folder of [...this.#folders(), "blobs"]) await syncFolder(join(this.#partial, folder));
      // What others may do with it follows from the umask, as with any folder.
      await chmod(this.#partial, (await stat(join(this.#partial, "blobs"))).mode & 0o777);
      await syncFolder(this.#partial);
    });
    if (!(await isSame(this.#partial, this.#made))) throw replaced(this.#path);
    signal?.throwIfAborted();
    // Looked at again: a lot may have happened while the blobs came.
    await checkTarget(this.#path);
    await stored(this.#path, async () => {
      // Elsewhere an empty folder is replaced by the rename itself.
      if (process.platform === "win32") await rmdir(this.#path).catch(() => undefined);
      await rename(this.#partial, this.#path);
      this.#isDone = true;
      await syncFolder(dirname(this.#path));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDone || !(await isSame(this.#partial, this.#made))) return;
    await rm(this.#partial, { recursive: true, force: true });
  }

  async #write(name: string, size: number, fill: (file: PartialFile) => Promise<void>): Promise<void> {
    await using file = await PartialFile.create(join(this.#partial, name), size);
    await fill(file);
    await file.publish();
    this.#missing.delete(name);
  }

  /** `blobs/sha256`, and `blobs/sha512` where there is one. */
  #folders(): readonly string[] {
    return [...new Set(this.#layout.files.map(({ name }) => dirname(name)))].filter(name => name !== ".");
  }
}

function partialOf(path: string): string {
  return `${path}.partial`;
}

async function createPartial(path: string, bytes: number): Promise<Stats> {
  await checkTarget(path);
  const partial = partialOf(path);
  return await stored(path, async () => {
    try {
      await mkdir(partial, { mode: 0o700 });
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      await checkLeftOver(partial);
      await rm(partial, { recursive: true });
      await mkdir(partial, { mode: 0o700 });
    }
    const made = await lstat(partial);
    const { bavail, bsize, blocks } = await statfs(partial);
    // Some network and user-space file systems tell no size at all.
    if (blocks === 0 || bavail * bsize >= bytes) return made;
    await rmdir(partial);
    throw new StorageError(
      `Cannot write ${quote(path)}: ${formatBytes(bavail * bsize)} free, expected ${formatBytes(bytes)}`,
      { hint: "Free some space, or write to another disk." },
    );
  });
}

async function checkTarget(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    const found = stats.isSymbolicLink() ? "a symbolic link" : stats.isFile() ? "a file" : "a pipe or device";
    throw new StorageError(`Cannot write folder ${quote(path)}: found ${found}, expected an empty folder or nothing`, {
      hint: "Choose another name; a name without a slash at its end writes a tar.",
    });
  }
  const names = await stored(path, async () => await readdir(path));
  if (names.length === 0) return;
  throw new StorageError(
    `Cannot write folder ${quote(path)}: found ${names.length} ${names.length === 1 ? "entry" : "entries"} in it, expected an empty folder or nothing`,
    { hint: "Remove what is in it, or name a folder that does not exist yet." },
  );
}

/** What an earlier, killed run left is replaced; anything else under that name is not touched. */
async function checkLeftOver(partial: string): Promise<void> {
  const stats = await lstat(partial);
  const isOurs = stats.isDirectory() && (process.getuid === undefined || stats.uid === process.getuid());
  const names = isOurs ? await readdir(partial) : [];
  if (isOurs && names.every(name => OWN_NAMES.has(name.replace(/\.partial$/, "")))) return;
  throw new StorageError(`Cannot write ${quote(partial)}: found something else than a partial folder, expected none`, {
    hint: "Remove it, or choose another output name.",
  });
}

async function isSame(path: string, made: Stats): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.ino === made.ino && stats.dev === made.dev;
}

function replaced(path: string): StorageError {
  return new StorageError(
    `Cannot write folder ${quote(path)}: ${quote(partialOf(path))} was replaced meanwhile, expected to own it`,
    { hint: "Another run may be writing the same folder: wait for it, or choose another name." },
  );
}

/** Faults of the file system in our own form. */
async function stored<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StorageError) throw cause;
    const code = codeOf(cause);
    const found =
      code === "ENOENT"
        ? "no such folder above it"
        : code === "EACCES" || code === "EPERM"
          ? "permission denied"
          : code === "ENOSPC" || code === "EDQUOT"
            ? "no space left"
            : code || String(cause);
    throw new StorageError(`Cannot write folder ${quote(path)}: ${found}, expected a writable folder above it`, {
      cause,
      hint: "Choose another output, in a folder that exists, has room, and that you may write to.",
    });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
