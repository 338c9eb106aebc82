import type { ImageArchive } from "../../archive/archive-source.ts";
import type { BlobExtent, BlobReader, ByteRange, ManifestDraft, SettledRoot } from "../../content/contracts.ts";
import { draftManifest } from "../../content/draft-manifest.ts";
import { ArchiveError, IntegrityError, InternalError, NotFoundError, StorageError } from "../../errors.ts";
import { type Digest, digestAlgorithm, digestOf } from "../../oci/digest.ts";
import { MAX_MANIFEST_BYTES } from "../../oci/limits.ts";
import type { RawManifest } from "../../oci/manifest.ts";
import { CheckedBlobs } from "../content/checked-blobs.ts";
import type { PieceSizes } from "../content/checked-source.ts";
import type { DamageLog } from "../content/damage-log.ts";
import type { OpenBlob, StoredContent } from "../content/served-registry.ts";
import { FileChanged, ServedFiles } from "./served-files.ts";
import { ServedSums } from "./served-sums.ts";

const OCTETS = "application/octet-stream";

/** The bytes in archives: each is checked before it goes out. */
export class ArchiveContent {
  readonly #archive: ImageArchive;
  readonly #log: DamageLog;
  readonly #checked: CheckedBlobs;
  readonly #files: ServedFiles;
  readonly #sums: ServedSums;
  /** Images that have no manifest: theirs is made here, always the same. By its digest. */
  readonly #drafts = new Map<Digest, ManifestDraft>();
  /** The files of damaged copies of content. */
  readonly #bad = new Map<Digest, Set<string>>();
  /** Content that was asked for in vain, and the file that has changed. */
  readonly #changed = new Map<Digest, string>();

  constructor(archive: ImageArchive, log: DamageLog, sizes: PieceSizes) {
    this.#archive = archive;
    this.#log = log;
    this.#checked = new CheckedBlobs(sizes);
    this.#files = new ServedFiles(log);
    this.#sums = new ServedSums(archive.members, sizes.pieceBytes);
  }

  get checkedPieces(): number {
    return this.#checked.passedPieces;
  }

  /** The manifest of an image that has none. */
  addDraft(draft: ManifestDraft): RawManifest & { readonly digest: Digest } {
    const manifest = draftManifest(draft, new Map());
    const digest = digestOf(manifest.bytes);
    this.#drafts.set(digest, draft);
    return { ...manifest, digest };
  }

  /** The file that has changed, and that has the content; undefined if none is known. */
  changedFile(digest: Digest): string | undefined {
    const known = this.#changed.get(digest);
    if (known !== undefined) return known;
    if (this.#files.changedCount === 0) return undefined;
    const holder = this.#archive.members.find(
      member => this.#files.hasChanged(member.archive.path) && member.hasBlob(digest),
    );
    return holder?.archive.path;
  }

  /** Looks whether all files are still there: those of folders when they are read. */
  async lookAtFiles(): Promise<void> {
    for (const { archive } of this.#archive.members) {
      const [entry] =
        archive.isFolder === true ? [] : [...archive.entries.values()].filter(each => each.type === "file");
      if (entry === undefined) continue;
      await using reader = await archive.slice(entry).reader?.();
      if (reader !== undefined) await this.#confirm(undefined, reader.extents).catch(ignoreChange);
    }
  }

  async #confirm(digest: Digest | undefined, extents: readonly BlobExtent[]): Promise<void> {
    try {
      await this.#files.confirm(new Set(extents.map(({ file }) => file)));
    } catch (error) {
      if (error instanceof FileChanged && digest !== undefined) this.#changed.set(digest, error.path);
      throw error;
    }
  }

  /** @throws FileChanged */
  async openBlob({ digest, size }: StoredContent): Promise<OpenBlob | undefined> {
    const reader = await this.#goodReader({ digest, size });
    if (reader === undefined) return undefined;
    try {
      const confirm = async (): Promise<void> => await this.#confirm(digest, reader.extents);
      await confirm();
      return this.#checked.open({
        digest,
        size,
        // Of another copy nothing is known.
        identity: reader.extents.map(({ file }) => file.path).join("\0"),
        fill: async (into, position) => await reader.fill(into, position),
        confirm,
        pieceHash: await this.#sums.hashesOf(digest, size),
        onDamage: async (range, found) => this.#addDamage(digest, range, found, reader.extents),
        [Symbol.asyncDispose]: async () => await reader[Symbol.asyncDispose](),
      });
    } catch (error) {
      await reader[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Checks an image whose manifests were not read when its archive was opened.
   *
   * @returns false for one that must not be served, which is noted.
   * @throws FileChanged
   */
  async isSound(image: SettledRoot): Promise<boolean> {
    const { digest, size } = image.descriptor;
    try {
      await this.#archive.checkImage?.(image);
      return true;
    } catch (error) {
      // What cannot be read, or does not have its digest, is found when it is sent.
      if (error instanceof IntegrityError || error instanceof StorageError) return true;
      if (!(error instanceof ArchiveError)) throw error;
      await using reader = await this.#goodReader({ digest, size: this.#archive.sizeOf(digest) ?? size });
      const extents = reader?.extents ?? [];
      await this.#confirm(digest, extents);
      this.#addDamage(digest, undefined, error, extents);
      return false;
    }
  }

  /** All bytes, hashed each time. @throws FileChanged */
  async readManifest(digest: Digest): Promise<Uint8Array | undefined> {
    const draft = this.#drafts.get(digest);
    if (draft !== undefined) return draftManifest(draft, new Map()).bytes;
    const size = this.#archive.hasBlob(digest) ? this.#archive.sizeOf(digest) : undefined;
    if (size === undefined || size > MAX_MANIFEST_BYTES) return undefined;
    for (;;) {
      const reader = await this.#goodReader({ digest, size });
      if (reader === undefined) return undefined;
      const bytes = await this.#bytesOf(digest, size, reader);
      if (bytes !== undefined) return bytes;
    }
  }

  /** Undefined for a damaged copy, which is noted. */
  async #bytesOf(digest: Digest, size: number, reader: BlobReader): Promise<Uint8Array | undefined> {
    await using opened = reader;
    const bytes = new Uint8Array(size);
    let found: unknown;
    try {
      await opened.fill(bytes, 0);
      found = digestOf(bytes, digestAlgorithm(digest));
    } catch (error) {
      found = error;
    }
    await this.#confirm(digest, opened.extents);
    if (found === digest) return bytes;
    this.#addDamage(digest, undefined, found, opened.extents);
    return undefined;
  }

  /** Of a copy that is not known to be damaged: several files may have one. */
  async #goodReader(blob: StoredContent): Promise<BlobReader | undefined> {
    const bad = this.#bad.get(blob.digest);
    const first = await this.#reader(this.#archive, blob);
    if (bad === undefined || first === undefined) return first;
    await first[Symbol.asyncDispose]();
    for (const member of this.#archive.members) {
      if (!member.hasBlob(blob.digest) || member.sizeOf(blob.digest) !== blob.size) continue;
      const reader = await this.#reader(member, blob);
      const paths = reader?.extents.map(({ file }) => file.path) ?? [];
      if (paths.length > 0 && !paths.some(path => bad.has(path))) return reader;
      await reader?.[Symbol.asyncDispose]();
    }
    return undefined;
  }

  async #reader(archive: ImageArchive, blob: StoredContent): Promise<BlobReader | undefined> {
    try {
      const source = await archive.blob({ ...blob, mediaType: OCTETS });
      if (source.reader === undefined) throw new InternalError(`Cannot serve blob ${blob.digest}: it has no positions`);
      return await source.reader();
    } catch (error) {
      if (error instanceof ArchiveError || error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  #addDamage(digest: Digest, range: ByteRange | undefined, found: unknown, extents: readonly BlobExtent[]): void {
    const { start, end } = range ?? { start: 0, end: Number.POSITIVE_INFINITY };
    const hit = extents.find(extent => extent.start < end && start < extent.end);
    const text = found instanceof Error ? found.message : String(found);
    const bad = this.#bad.get(digest) ?? new Set();
    this.#bad.set(digest, bad);
    for (const { file } of extents) bad.add(file.path);
    this.#log.add({ digest, range, path: hit?.file.path ?? this.#archive.what, found: text });
  }
}

/** It is noted by then. */
export function ignoreChange(error: unknown): undefined {
  if (!(error instanceof FileChanged)) throw error;
  return undefined;
}
