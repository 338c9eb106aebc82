import { basename } from "node:path";
import type { ArchiveSource, ImageArchive } from "../../archive/archive-source.ts";
import { openMerged } from "../../archive/set/open-archives.ts";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { stat } from "../../util/read-disk.ts";
import { PIECE_SIZES } from "../content/checked-blobs.ts";
import type { PieceSizes } from "../content/checked-source.ts";
import { DamageLog, type DamageReport } from "../content/damage-log.ts";
import type { FoundDamage, OpenBlob, ServedBundle, ServedRegistry, StoredContent } from "../content/served-registry.ts";
import { ArchiveContent } from "./archive-content.ts";
import { ArchiveRepository } from "./archive-repository.ts";
import { readClosure } from "./closure.ts";
import { Inventory } from "./inventory.ts";
import { type NamedImages, NameTable, unnamedImages } from "./name-table.ts";
import { servedParts } from "./served-parts.ts";
import { startNotes } from "./start-notes.ts";

/** What is known of a repository is some kilobytes; that of an archive with thousands is read again. */
const MAX_REPOSITORIES = 1000;
/** Images of an archive that are all checked before the server answers. Of more, each is checked when it is first asked for. */
const MAX_CHECKED_AT_START = 500;

export interface ServeArchivesOptions {
  /** Is called with what a user should know, as a sentence. */
  readonly onNote?: ((message: string) => void) | undefined;
  readonly onDamage: DamageReport;
  /** For tests. */
  readonly sizes?: PieceSizes | undefined;
  /** Default 500; for tests. */
  readonly deferAbove?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface LoadedRepository {
  readonly pulled: ArchiveRepository;
  /** Also with what cannot be pulled. */
  readonly listed: ArchiveRepository;
}

/**
 * Archives, folders, volumes, deltas with their bases and patches as a registry: several files are one source. Nothing is
 * copied: content is read where it is, and checked before it goes out. What is below an image is read when its repository is
 * first asked for.
 */
export class ArchiveRegistry implements ServedRegistry, AsyncDisposable {
  readonly bundle: ServedBundle;
  readonly inventory: ServedRegistry;
  readonly #archive: ImageArchive;
  readonly #log: DamageLog;
  readonly #names: NameTable;
  readonly #content: ArchiveContent;
  /** By original name, the least recently used first. */
  readonly #repositories = new Map<string, Promise<LoadedRepository>>();

  private constructor(archive: ImageArchive, log: DamageLog, sizes: PieceSizes) {
    this.#archive = archive;
    this.#log = log;
    this.#names = new NameTable(archive.images);
    this.#content = new ArchiveContent(archive, log, sizes);
    const content = this.#content;
    const unnamed = unnamedImages(archive.images);
    this.inventory = new Inventory(this, unnamed.roots.size > 0, async (name, ns) => {
      const found = name === "" ? this.#loadOnce(unnamed) : this.#loaded(name, ns);
      return (await found)?.listed;
    });
    const of = archive.members.reduce((sum, member) => sum + piecesIn(member, sizes.pieceBytes), 0);
    this.bundle = {
      id: archive.bundle,
      files: archive.members.map(servedFile),
      volumes: archive.volumes,
      absent: archive.absent,
      lock: async signal => await archive.lock(signal),
      parts: async signal => await servedParts(archive.members, content, signal),
      get pieces() {
        return { checked: Math.min(content.checkedPieces, of), of };
      },
    };
  }

  /**
   * @throws ArchiveError, StorageError, NotFoundError as `openMerged`; UsageError for a file that can be read only from front
   * to back.
   */
  static async open(paths: readonly string[], options: ServeArchivesOptions): Promise<ArchiveRegistry> {
    const { onNote, onDamage, signal, sizes = PIECE_SIZES, deferAbove = MAX_CHECKED_AT_START } = options;
    const log = new DamageLog(onDamage);
    for (const path of paths) {
      // Opening one waits until something writes to it.
      const found = path === "-" ? undefined : await stat(path).catch(() => undefined);
      if (found?.isFIFO() === true) throw unreadable(path, "none");
    }
    const archive = await openMerged(paths, {
      withBaseImages: true,
      // Joined archives are compared by all that their manifests say.
      ...(paths.length === 1 ? { deferAbove } : {}),
      scan: async ({ path, compression }) => {
        throw unreadable(path, compression);
      },
      onDamage: (digest, error) =>
        log.add({ digest, path: paths.length === 1 ? (paths[0] ?? "") : "", found: error.message }),
      onNote,
      signal,
    });
    return new ArchiveRegistry(archive, log, sizes);
  }

  /** What of the archives cannot be pulled, for people: a sentence each. */
  get startNotes(): readonly string[] {
    return startNotes(this.#archive);
  }

  get generation(): number {
    return this.#log.generation;
  }

  get damage(): readonly FoundDamage[] {
    return this.#log.found;
  }

  get namespaces(): ReadonlySet<string> {
    return this.#names.namespaces;
  }

  names(ns?: string): Iterable<string> {
    return this.#names.names(ns);
  }

  namesakes(name: string): readonly string[] {
    return this.#names.namesakes(name);
  }

  async repository(name: string, ns?: string): Promise<ArchiveRepository | undefined> {
    return (await this.#loaded(name, ns))?.pulled;
  }

  async #loaded(name: string, ns?: string): Promise<LoadedRepository | undefined> {
    const images = this.#names.find(name, ns);
    return images === undefined ? undefined : await this.#loadOnce(images);
  }

  async #loadOnce(images: NamedImages): Promise<LoadedRepository> {
    const { original } = images;
    const loading = this.#repositories.get(original) ?? this.#load(images);
    this.#repositories.delete(original);
    this.#repositories.set(original, loading);
    const [oldest] = this.#repositories.keys();
    if (this.#repositories.size > MAX_REPOSITORIES && oldest !== undefined) this.#repositories.delete(oldest);
    try {
      return await loading;
    } catch (error) {
      // The next request may find more.
      if (this.#repositories.get(original) === loading) this.#repositories.delete(original);
      throw error;
    }
  }

  /** Looks whether the files are still those that were opened; `damage` says what was found. */
  async lookAtFiles(): Promise<void> {
    await this.#content.lookAtFiles();
  }

  async readManifest({ digest }: StoredContent): Promise<Uint8Array | undefined> {
    return await this.#content.readManifest(digest);
  }

  async openBlob(blob: StoredContent): Promise<OpenBlob | undefined> {
    return await this.#content.openBlob(blob);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#archive[Symbol.asyncDispose]();
  }

  async #load(images: NamedImages): Promise<LoadedRepository> {
    const closure = await readClosure(images.roots, this.#archive, this.#content);
    const { manifests, incomplete } = closure;
    const pulled = new ArchiveRepository(images, closure, this.#archive, this.#log, this.#content);
    if (incomplete.size === 0) return { pulled, listed: pulled };
    const all = new Map([...manifests, ...incomplete]);
    return { pulled, listed: new ArchiveRepository(images, closure, this.#archive, this.#log, this.#content, all) };
  }
}

function servedFile({ archive, part }: ArchiveSource): ServedBundle["files"][number] {
  const set = part?.kind === "locked" ? part.lock.set : undefined;
  return { name: basename(archive.path), size: archive.fileBytes, volume: set?.number };
}

/** As if each file in it were a blob: the others are small. */
function piecesIn({ archive }: ArchiveSource, pieceBytes: number): number {
  let pieces = 0;
  for (const { type, size } of archive.entries.values()) if (type === "file") pieces += Math.ceil(size / pieceBytes);
  return pieces;
}

function unreadable(path: string, compression: string): UsageError {
  const what = path === "-" ? "stdin" : `archive ${quote(path)}`;
  const found = compression === "none" ? "a pipe" : `compressed with ${compression} as a whole`;
  return new UsageError(`Cannot read ${what} at any position: ${found}, expected a plain tar or a folder`, {
    hint:
      compression === "none"
        ? "Save it to a file first."
        : "Decompress it first, for example with gunzip or zstd -d; its layers stay compressed.",
  });
}
