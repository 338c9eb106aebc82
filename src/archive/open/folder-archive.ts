import { constants, type Stats } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type Compression, detectCompression, MAGIC_BYTES } from "../../compress/detect.ts";
import { fileSliceBlob, fillFrom } from "../../content/blob.ts";
import type { BlobFile, BlobSource } from "../../content/contracts.ts";
import { hashBlob } from "../../content/hash-blob.ts";
import { pumpBlob, readBlob } from "../../content/pump.ts";
import { ArchiveError, StorageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { resolveEntry } from "../../tar/resolve-entry.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import { MAX_ENTRIES } from "../../tar/tar-walk.ts";
import { quote } from "../../util/format.ts";
import { checkKept, checkSame, checkUnchanged, type FileState, isSameFile } from "../../util/input-guard.ts";
import { lstat, open, readdir, readlink } from "../../util/read-disk.ts";
import { SystemFault, storageState } from "../../util/system-fault.ts";
import type { Archive } from "../archive.ts";
import type { OpenArchiveOptions } from "./open-archive-options.ts";

const MAX_DEPTH = 8;
/** No link is followed, and a FIFO without a writer does not block. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * A folder with the files of an archive: an OCI layout, or skopeo's and podman's "dir:". Links are followed inside the
 * folder only, by the rules for links in a tar.
 */
export class FolderArchive implements Archive {
  readonly path: string;
  readonly fileBytes: number;
  readonly compression = "none";
  readonly isFolder = true;
  readonly entries: ReadonlyMap<string, TarEntry>;
  /** Files that were read, as they were when first opened. */
  readonly #opened = new Map<string, Stats>();
  /** By the names of entries, as they were when the folder was opened. */
  readonly #states: ReadonlyMap<string, FileState>;

  private constructor(path: string, { entries, states }: Walked) {
    this.path = path;
    this.entries = entries;
    this.#states = states;
    this.fileBytes = [...entries.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** @throws StorageError for a folder that cannot be read; ArchiveError "too-many-entries". */
  static async open(path: string, { signal }: OpenArchiveOptions): Promise<FolderArchive> {
    const walked = { entries: new Map<string, TarEntry>(), states: new Map<string, FileState>() };
    await walk(path, "", walked, 0, signal);
    return new FolderArchive(path, walked);
  }

  get what(): string {
    return `folder ${quote(this.path)}`;
  }

  resolve(name: string): TarEntry {
    return resolveEntry(this.entries, name, this.what);
  }

  async compressionOf(entry: TarEntry): Promise<Compression | undefined> {
    const length = Math.min(MAGIC_BYTES, entry.size);
    const start = this.slice({ ...entry, size: length });
    return detectCompression(await readBlob(start, length));
  }

  async digest(entry: TarEntry, signal?: AbortSignal): Promise<Digest> {
    return await hashBlob(this.slice(entry), "sha256", signal);
  }

  slice({ name, size }: TarEntry): BlobSource {
    const path = join(this.path, name);
    const openSteady = async (): ReturnType<typeof open> => await this.#open(name, path);
    const origin = this.#originOf(name, path);
    return {
      size,
      async reader() {
        let opened: ReturnType<typeof open> | undefined;
        return {
          extents: [{ start: 0, end: size, file: origin }],
          async fill(into, position) {
            opened ??= openSteady();
            await fillFrom(await opened, into, position, path);
          },
          [Symbol.asyncDispose]: async () => await (await opened?.catch(() => undefined))?.close(),
        };
      },
      async open(range, signal) {
        const file = await openSteady();
        try {
          const stream = await fileSliceBlob(file, 0, size, path).open(range, signal);
          return Readable.from(closing(stream, file), { objectMode: false });
        } catch (error) {
          await file.close();
          throw error;
        }
      },
      async pump(sink, signal) {
        await using file = await openSteady();
        await pumpBlob(fileSliceBlob(file, 0, size, path), sink, signal);
      },
    };
  }

  /** A file that was replaced or removed after it was read is no fault. */
  async confirm(): Promise<void> {
    for (const [path, opened] of this.#opened) {
      const stats = await lstat(path).catch(() => undefined);
      if (stats !== undefined && isSameFile(stats, opened)) checkUnchanged(`file ${quote(path)}`, opened, stats);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #originOf(name: string, path: string): BlobFile {
    const state = this.#states.get(name);
    return {
      path,
      confirm: async () => {
        if (state !== undefined) await checkKept(`file ${quote(path)}`, state, async () => await lstat(path));
      },
    };
  }

  async #open(name: string, path: string): ReturnType<typeof open> {
    const file = await reading("file", path, async () => await open(path, READ_FLAGS));
    try {
      const stats = await file.stat();
      const before = this.#opened.get(path);
      const size = this.entries.get(name)?.size ?? stats.size;
      if (before === undefined) checkUnchanged(`file ${quote(path)}`, { size, mtimeMs: stats.mtimeMs }, stats);
      else checkSame(`file ${quote(path)}`, before, stats);
      this.#opened.set(path, stats);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }
}

async function* closing(stream: Readable, file: AsyncDisposable): AsyncGenerator<Uint8Array> {
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } finally {
    await file[Symbol.asyncDispose]();
  }
}

interface Walked {
  readonly entries: Map<string, TarEntry>;
  readonly states: Map<string, FileState>;
}

async function walk(
  root: string,
  below: string,
  walked: Walked,
  depth: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { entries, states } = walked;
  signal?.throwIfAborted();
  if (depth > MAX_DEPTH) throw tooMuch(root, `folders nested more than ${MAX_DEPTH} deep`);
  for (const name of (await reading("folder", join(root, below), async folder => await readdir(folder))).sort()) {
    const path = below === "" ? name : `${below}/${name}`;
    const stats = await reading("file", join(root, path), async path => await lstat(path));
    // Anything but a file, folder or link is no part of an image.
    const entry = { name: path, bodyOffset: entries.size, size: stats.isFile() ? stats.size : 0 };
    if (stats.isFile()) {
      const { dev, ino, size, mtimeMs, ctimeMs } = stats;
      entries.set(path, { ...entry, type: "file" });
      states.set(path, { dev, ino, size, mtimeMs, ctimeMs });
    } else if (stats.isSymbolicLink())
      entries.set(path, {
        ...entry,
        type: "symlink",
        linkName: await reading("link", join(root, path), async path => await readlink(path)),
      });
    else if (stats.isDirectory()) {
      entries.set(path, { ...entry, type: "directory" });
      await walk(root, path, walked, depth + 1, signal);
    }
    if (entries.size > MAX_ENTRIES) throw tooMuch(root, `more than ${MAX_ENTRIES} entries`);
  }
}

async function reading<T>(kind: string, path: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (cause) {
    throw unreadable(kind, path, cause);
  }
}

function unreadable(kind: string, path: string, cause: unknown): StorageError {
  const found = storageState(cause, `no such ${kind}`);
  return new StorageError(`Cannot read ${kind} ${quote(path)}: ${found}, expected a readable ${kind}`, {
    cause,
    hint: cause instanceof SystemFault ? cause.hint : undefined,
  });
}

function tooMuch(path: string, found: string): ArchiveError {
  return new ArchiveError("too-many-entries", `Cannot read folder ${quote(path)}: ${found}, expected an image layout`, {
    hint: 'Name the folder that contains "oci-layout" or "manifest.json".',
  });
}
