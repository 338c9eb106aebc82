import { constants, type Stats } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type Compression, detectCompression, MAGIC_BYTES } from "../../compress/detect.ts";
import { fileSliceBlob, fillFrom } from "../../content/blob.ts";
import type { BlobFile, BlobSource } from "../../content/contracts.ts";
import { hashBlob } from "../../content/hash-blob.ts";
import { pumpBlob, readBlob } from "../../content/pump.ts";
import type { Digest } from "../../oci/digest.ts";
import { resolveEntry } from "../../tar/resolve-entry.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import { quote } from "../../util/format.ts";
import { checkKept, checkSame, checkUnchanged, type FileState, isSameFile } from "../../util/input-guard.ts";
import { lstat, open } from "../../util/read-disk.ts";
import type { Archive } from "../archive.ts";
import type { OpenArchiveOptions } from "./open-archive-options.ts";
import { reading, type WalkedFolder, walkFolder } from "./walk-folder.ts";

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

  private constructor(path: string, { entries, states }: WalkedFolder) {
    this.path = path;
    this.entries = entries;
    this.#states = states;
    this.fileBytes = [...entries.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** @throws StorageError for a folder that cannot be read; ArchiveError "too-many-entries". */
  static async open(path: string, { signal }: OpenArchiveOptions): Promise<FolderArchive> {
    return new FolderArchive(path, await walkFolder(path, signal));
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
