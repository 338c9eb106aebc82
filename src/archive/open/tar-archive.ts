import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { type Compression, detectCompression, MAGIC_BYTES } from "../../compress/detect.ts";
import { fileSliceBlob } from "../../content/blob.ts";
import type { BlobSource } from "../../content/contracts.ts";
import { FileWindows } from "../../content/file-windows.ts";
import { hashBlob } from "../../content/hash-blob.ts";
import type { Digest } from "../../oci/digest.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import { indexTar, type TarIndex } from "../../tar/tar-index.ts";
import { quote } from "../../util/format.ts";
import { checkUnchanged } from "../../util/input-guard.ts";
import { readAt } from "../../util/read-disk.ts";
import type { Archive } from "../archive.ts";
import type { OpenArchiveOptions } from "./open-archive-options.ts";

/** A plain tar: bodies are read where they are in the file, in any order. */
export class TarArchive implements Archive {
  readonly path: string;
  readonly fileBytes: number;
  readonly compression = "none";
  readonly #index: TarIndex;
  readonly #file: FileHandle;
  readonly #opened: Stats;
  readonly #windows: FileWindows;

  private constructor(path: string, file: FileHandle, opened: Stats, index: TarIndex) {
    this.path = path;
    this.fileBytes = opened.size;
    this.#index = index;
    this.#file = file;
    this.#windows = new FileWindows(file);
    this.#opened = opened;
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
    return new TarArchive(path, file, opened, index);
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
    const start = Buffer.alloc(Math.min(MAGIC_BYTES, entry.size));
    await readAt(this.#file, this.path, start, entry.bodyOffset);
    return detectCompression(start);
  }

  async digest(entry: TarEntry, signal?: AbortSignal): Promise<Digest> {
    return await hashBlob(this.slice(entry), "sha256", signal);
  }

  slice(entry: TarEntry): BlobSource {
    return fileSliceBlob(this.#file, entry.bodyOffset, entry.size, this.path, this.#windows);
  }

  async confirm(): Promise<void> {
    checkUnchanged(this.what, this.#opened, await this.#file.stat());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
