import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import type { Compression } from "../../compress/detect.ts";
import { bytesBlob } from "../../content/blob.ts";
import type { BlobSource } from "../../content/contracts.ts";
import { hashBlob } from "../../content/hash-blob.ts";
import { readBlob } from "../../content/pump.ts";
import { ArchiveError, InternalError } from "../../errors.ts";
import { type Digest, digestOf } from "../../oci/digest.ts";
import { LAYOUT_FILE } from "../../oci/layout.ts";
import { MAX_ARCHIVE_INDEX_BYTES, MAX_KEPT_JSON_BYTES } from "../../oci/limits.ts";
import { resolveEntry } from "../../tar/resolve-entry.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import type { TarWalk } from "../../tar/tar-walk.ts";
import { formatBytes, quote } from "../../util/format.ts";
import { deferred } from "../../util/promises.ts";
import type { Archive, BodyHandler, StreamedBodies } from "../archive.ts";
import { SIGNATURE_FILE } from "../entry-names.ts";
import { type BodyKind, bodyKind } from "./body-kind.ts";
import { type ChooseHandler, scanTar } from "./scan-tar.ts";

/** A source of the inflated tar, from its first byte. */
export type OpenParts = (signal?: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

/**
 * Returns the handler of a body that is not kept; the handler puts the body's sha256 into `digests`, by offset. `lock` is
 * the `imgpack.json` that came before.
 */
export type ChooseHandlerByKind = (
  entry: TarEntry,
  kind: BodyKind,
  digests: Map<number, Digest>,
  signal: AbortSignal,
  lock: Promise<Uint8Array | undefined>,
) => Promise<BodyHandler | undefined> | BodyHandler | undefined;

export interface ScanOptions {
  readonly path: string;
  /** Bytes read so far from a pipe, or bytes on disk. */
  readonly fileBytes: () => number;
  readonly compression: Compression | "none";
  readonly open: OpenParts;
  /** False if the file cannot be read from the front again, such as a pipe. */
  readonly isReopenable: boolean;
  /** As in `Archive`; absent for a pipe. */
  readonly confirm?: (() => Promise<void>) | undefined;
  /** Closed with the archive. */
  readonly file?: AsyncDisposable | undefined;
  readonly onNote?: ((message: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Bodies that are worked on while the next one is read. */
const CONCURRENCY = 4;
/** Memory of a kept body in addition to its bytes. */
const KEPT_EXTRA_BYTES = 512;
const NO_BYTES: Uint8Array = new Uint8Array();
const METADATA_NAMES: ReadonlySet<string> = new Set([LAYOUT_FILE, SIGNATURE_FILE, "repositories", "version"]);

/** An archive that was read from front to back: its entries are known, JSON is kept, and all other bodies are gone. */
export class StreamedArchive implements Archive {
  readonly path: string;
  readonly fileBytes: number;
  readonly compression: Compression | "none";
  readonly entries: ReadonlyMap<string, TarEntry>;
  readonly streamed: StreamedBodies;
  readonly #kept: ReadonlyMap<number, Uint8Array>;
  readonly #compressions: ReadonlyMap<number, Compression>;
  /** sha256 of bodies by their offset: of those that a handler worked on, or of all. */
  #digests: ReadonlyMap<number, Digest>;
  readonly #options: ScanOptions;

  private constructor(
    options: ScanOptions,
    entries: ReadonlyMap<string, TarEntry>,
    kept: ReadonlyMap<number, Uint8Array>,
    compressions: ReadonlyMap<number, Compression>,
    digests: ReadonlyMap<number, Digest>,
  ) {
    this.path = options.path;
    this.fileBytes = options.fileBytes();
    this.compression = options.compression;
    this.entries = entries;
    this.#options = options;
    this.#kept = kept;
    this.#compressions = compressions;
    this.#digests = digests;
    this.streamed = {
      holds: ({ bodyOffset, size }) => size === 0 || kept.has(bodyOffset),
      readAgain: async (choose, isDone, signal) => await this.#readAgain(choose, isDone, signal),
    };
  }

  /**
   * Reads the archive.
   *
   * @throws ArchiveError as `scanTar`.
   */
  static async scan(options: ScanOptions, chooseByKind?: ChooseHandlerByKind): Promise<StreamedArchive> {
    const { onNote, signal } = options;
    const kept = new Map<number, Uint8Array>();
    const compressions = new Map<number, Compression>();
    const digests = new Map<number, Digest>();
    let keptBytes = 0;
    let lock: Promise<Uint8Array | undefined> = Promise.resolve(undefined);
    const choose: ChooseHandler = (entry, start, own) => {
      const kind = bodyKind(start, entry.size);
      if (kind !== "json" && kind !== "tar" && kind !== "other") compressions.set(entry.bodyOffset, kind);
      // JSON beyond the limit may still be a layer of an artifact.
      const isKept =
        (kind === "json" || isMetadata(entry)) && keptBytes + entry.size + KEPT_EXTRA_BYTES <= MAX_KEPT_JSON_BYTES;
      if (!isKept) return chooseByKind?.(entry, kind, digests, own, lock);
      keptBytes += entry.size + KEPT_EXTRA_BYTES;
      const read = deferred<Uint8Array | undefined>();
      if (entry.name === LOCK_FILE) lock = read.promise;
      if (start.length === entry.size) {
        kept.set(entry.bodyOffset, Uint8Array.from(start));
        read.resolve(kept.get(entry.bodyOffset));
        return undefined;
      }
      return async (blob, own) => {
        try {
          kept.set(entry.bodyOffset, await readBlob(blob, entry.size, own));
        } finally {
          read.resolve(kept.get(entry.bodyOffset));
        }
      };
    };
    const walk = await scanParts(options, choose, undefined, signal);
    for (const warning of walk.warnings) onNote?.(warning.message);
    return new StreamedArchive(options, walk.entries, kept, compressions, digests);
  }

  /** False if bodies that are not kept are gone. */
  get isReopenable(): boolean {
    return this.#options.isReopenable;
  }

  get what(): string {
    return whatOf(this.#options);
  }

  resolve(name: string): TarEntry {
    return resolveEntry(this.entries, name, this.what);
  }

  async compressionOf({ bodyOffset }: TarEntry): Promise<Compression | undefined> {
    return this.#compressions.get(bodyOffset);
  }

  async digest(entry: TarEntry, signal?: AbortSignal): Promise<Digest> {
    const known = this.knownDigest(entry);
    if (known !== undefined) return known;
    // Reading again costs the same for one body and for all.
    const digests = new Map<number, Digest>();
    await this.#readAgain(
      ({ bodyOffset }) =>
        async (blob, own) =>
          void digests.set(bodyOffset, await hashBlob(blob, "sha256", own)),
      () => false,
      signal,
    );
    this.#digests = digests;
    const digest = digests.get(entry.bodyOffset);
    if (digest === undefined) throw new InternalError(`Cannot hash ${quote(entry.name)}: it is gone`);
    return digest;
  }

  /** The sha256 of a body that is kept or was hashed. */
  knownDigest({ bodyOffset, size }: TarEntry): Digest | undefined {
    const kept = size === 0 ? NO_BYTES : this.#kept.get(bodyOffset);
    return kept === undefined ? this.#digests.get(bodyOffset) : digestOf(kept);
  }

  slice(entry: TarEntry): BlobSource {
    const kept = entry.size === 0 ? NO_BYTES : this.#kept.get(entry.bodyOffset);
    if (kept !== undefined) return bytesBlob(kept);
    return {
      size: entry.size,
      open: async () => {
        throw new ArchiveError(
          "no-json",
          `Cannot read ${quote(entry.name)} from ${this.what}: ${formatBytes(entry.size)} that are not JSON, expected metadata of at most ${formatBytes(MAX_KEPT_JSON_BYTES)} in all`,
          { hint: "Write the archive to a file, uncompressed, and give its name: then it is read where it is needed." },
        );
      },
    };
  }

  async confirm(): Promise<void> {
    await this.#options.confirm?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.file?.[Symbol.asyncDispose]();
  }

  async #readAgain(
    choose: (entry: TarEntry) => BodyHandler | undefined,
    isDone: () => boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (!this.#options.isReopenable) throw new InternalError(`Cannot read ${this.what} again: it was read from a pipe`);
    await scanParts(this.#options, choose, isDone, signal);
  }
}

/** Kept whatever it contains, so that the error comes from the parser. */
function isMetadata({ name, size }: TarEntry): boolean {
  return size <= MAX_ARCHIVE_INDEX_BYTES && (METADATA_NAMES.has(name) || name.endsWith(".json"));
}

async function scanParts(
  options: ScanOptions,
  choose: ChooseHandler,
  isDone: (() => boolean) | undefined,
  signal: AbortSignal | undefined,
): Promise<TarWalk> {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const parts = await options.open(either);
  const onFailure = (error: unknown): void => stop.abort(error);
  const what = whatOf(options);
  const subject = options.compression === "none" ? undefined : `its ${options.compression} data`;
  return await scanTar(parts, choose, { what, subject, concurrency: CONCURRENCY, isDone, onFailure, signal });
}

function whatOf({ path }: ScanOptions): string {
  return path === "-" ? "archive on stdin" : `archive ${quote(path)}`;
}
