import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { type Compression, detectCompression, MAGIC_BYTES } from "../../compress/detect.ts";
import { bytesBlob, fileSliceBlob } from "../../content/blob.ts";
import type { BlobFile, BlobSource } from "../../content/contracts.ts";
import { FileWindows } from "../../content/file-windows.ts";
import { hashBlob } from "../../content/hash-blob.ts";
import { ArchiveError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import { indexTar, type TarIndex } from "../../tar/tar-index.ts";
import { quote } from "../../util/format.ts";
import { checkKept, checkUnchanged } from "../../util/input-guard.ts";
import { readAt, stat, statNow } from "../../util/read-disk.ts";
import type { Archive } from "../archive.ts";
import type { OpenArchiveOptions } from "./open-archive-options.ts";

export interface TarParts {
  readonly path: string;
  readonly file: FileHandle;
  /** As the file was when it was opened. */
  readonly opened: Stats;
  readonly index: TarIndex;
  /** Bytes of entries that are damaged in the file. Default: none. */
  readonly replaced?: ReadonlyMap<string, Uint8Array>;
}

/** A plain tar: bodies are read where they are in the file, in any order. */
export class TarArchive implements Archive {
  readonly path: string;
  readonly fileBytes: number;
  readonly compression = "none";
  readonly #index: TarIndex;
  readonly #file: FileHandle;
  readonly #opened: Stats;
  readonly #windows: FileWindows;
  readonly #origin: BlobFile;
  readonly #replaced: ReadonlyMap<string, Uint8Array>;

  constructor({ path, file, opened, index, replaced = new Map() }: TarParts) {
    this.path = path;
    this.fileBytes = opened.size;
    this.#index = index;
    this.#file = file;
    this.#windows = new FileWindows(file);
    this.#opened = opened;
    this.#replaced = replaced;
    this.#origin = {
      path,
      confirm: async () => await checkKept(this.what, opened, async () => statNow(path) ?? (await stat(path))),
    };
  }

  /** Takes over `file`, if it succeeds. @param opened as the file was when it was opened. @throws ArchiveError as `indexTar`. */
  static async open(path: string, file: FileHandle, opened: Stats, options: OpenArchiveOptions): Promise<TarArchive> {
    const read = async (target: Uint8Array, position: number): Promise<number> =>
      await readAt(file, path, target, position);
    const index = await indexTar(
      { size: opened.size, read },
      { what: `archive ${quote(path)}`, signal: options.signal },
    );
    for (const warning of index.warnings) options.onNote?.(warning.message);
    return new TarArchive({ path, file, opened, index });
  }

  get what(): string {
    return `archive ${quote(this.path)}`;
  }

  get entries(): ReadonlyMap<string, TarEntry> {
    return this.#index.entries;
  }

  resolve(name: string): TarEntry {
    return this.#index.resolve(name);
  }

  async compressionOf(entry: TarEntry): Promise<Compression | undefined> {
    if (this.#isCut(entry)) return undefined;
    const length = Math.min(MAGIC_BYTES, entry.size);
    const known = await this.#windows.read(entry.bodyOffset, length);
    if (known !== undefined) return detectCompression(known);
    const start = Buffer.alloc(length);
    await readAt(this.#file, this.path, start, entry.bodyOffset);
    return detectCompression(start);
  }

  async digest(entry: TarEntry, signal?: AbortSignal): Promise<Digest> {
    return await hashBlob(this.slice(entry), "sha256", signal);
  }

  slice(entry: TarEntry): BlobSource {
    const { name, bodyOffset, size } = entry;
    const replaced = this.#replaced.get(name);
    if (replaced !== undefined) return bytesBlob(replaced);
    const blob = fileSliceBlob(this.#file, bodyOffset, size, this.path, this.#windows, this.#origin);
    return this.#isCut(entry) ? this.#cut(entry, blob) : blob;
  }

  /** Only of an archive that lost its end. */
  #isCut({ bodyOffset, size }: TarEntry): boolean {
    return bodyOffset + size > this.fileBytes;
  }

  /** A patch may have the bytes that are missing. */
  #cut({ bodyOffset, size, name }: TarEntry, blob: BlobSource): BlobSource {
    const left = Math.max(0, this.fileBytes - bodyOffset);
    return {
      size,
      open: async (range = { start: 0, end: size }, signal) => {
        if (range.end <= left) return await blob.open(range, signal);
        throw new ArchiveError(
          "truncated",
          `Cannot read ${quote(name)} from ${this.what}: file ends at byte ${this.fileBytes}, expected ${bodyOffset + size}`,
          {
            hint: "The end of the file is missing: copy it again, or see what has to be fetched with imgpack verify --need.",
          },
        );
      },
    };
  }

  async confirm(): Promise<void> {
    checkUnchanged(this.what, this.#opened, await this.#file.stat());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
