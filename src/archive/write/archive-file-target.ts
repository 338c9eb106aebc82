import { fileSliceBlob } from "../../content/blob.ts";
import type {
  BlobSource,
  ByteSink,
  ImageTarget,
  Presence,
  SettledRoot,
  TargetSession,
} from "../../content/contracts.ts";
import { pumpBlob } from "../../content/pump.ts";
import { verified } from "../../content/verified.ts";
import { IntegrityError, InternalError, StorageError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { joinWrites, type PlacedBytes } from "../../tar/join-writes.ts";
import { END_BYTES, encodeSlotHeader, slotPadding, type TarPlan, type TarSlot } from "../../tar/tar-plan.ts";
import { allEnded } from "../../util/promises.ts";
import { SUMS_FILE } from "../entry-names.ts";
import { openPartialArchive } from "../partial/open-partial-archive.ts";
import type { ResumeOptions } from "../partial/opened-partial.ts";
import type { PartialArchive } from "../partial/partial-archive.ts";
import type { ArchiveContents, ArchiveContentsOptions } from "./archive-contents.ts";
import type { ArchiveFile } from "./archive-file.ts";
import { ArchivePart } from "./archive-part.ts";
import { type PlannedArchive, plannedArchive } from "./planned-archive.ts";

/** A blob up to this size is written with its header and its padding. */
const FRAMED_BYTES = 64 * 1024;

export interface ArchiveFileOptions extends ArchiveContentsOptions {
  readonly resume?: ResumeOptions | undefined;
}

/**
 * Writes one tar that is an OCI layout and a docker archive in one, or one of them, as `format` says; blobs do not change.
 * The same images give the same file, byte for byte. All offsets are known before the first blob, so blobs are written in
 * any order, and an interrupted run can be resumed.
 */
export function archiveFileTarget(path: string, options: ArchiveFileOptions): ImageTarget {
  return {
    async begin(plan, signal) {
      const planned = plannedArchive(plan, options);
      const archive = await openPartialArchive(path, planned.archive, options.resume ?? {}, signal);
      return new ArchiveSession(archive, planned);
    },
  };
}

export class ArchiveSession implements TargetSession {
  readonly archive: PartialArchive;
  readonly #tar: TarPlan;
  readonly #contents: ArchiveContents;
  readonly #missing: Set<string>;
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #placed: ReadonlySet<Digest>;
  readonly #pieces = new Map<Digest, readonly string[]>();
  /** Slots that are written with header and padding. */
  readonly #framed = new Set<TarSlot>();
  /** Signatures of an earlier run, by name. */
  readonly #found = new Map<string, Uint8Array>();

  /** @param placed blobs that this process has written whole, and hashed while it did. */
  constructor(archive: PartialArchive, { tar, contents }: PlannedArchive, placed: ReadonlySet<Digest> = new Set()) {
    this.archive = archive;
    this.#placed = placed;
    this.#tar = tar;
    this.#contents = contents;
    this.#missing = new Set(contents.names.values());
    this.#indexes = new Map([...contents.names.keys()].map((digest, index) => [digest, index]));
  }

  /** Of an interrupted run; unchecked. */
  get keptBytes(): number {
    return this.archive.plan.blobs.reduce((sum, _, index) => sum + this.archive.kept(index), 0);
  }

  async has(descriptor: Descriptor, signal?: AbortSignal): Promise<Presence> {
    const kept = this.kept(descriptor);
    if (kept?.size !== descriptor.size) return "absent";
    try {
      if (!this.#placed.has(descriptor.digest))
        await this.#summed(descriptor, verified(descriptor, kept, this.archive.file.path), undefined, signal);
    } catch (error) {
      // Unreadable bytes are written again: the disk then stores them elsewhere.
      if (!(error instanceof IntegrityError || error instanceof StorageError)) throw error;
      await this.forget(descriptor);
      return "absent";
    }
    this.#missing.delete(this.#slotOf(descriptor).name);
    return "kept";
  }

  kept(descriptor: Descriptor): BlobSource | undefined {
    const bytes = this.archive.kept(this.#indexes.get(descriptor.digest) ?? -1);
    if (bytes === 0) return undefined;
    const { file } = this.archive;
    return fileSliceBlob(file.handle, this.#slotOf(descriptor).bodyOffset, bytes, file.path);
  }

  async forget({ digest }: Descriptor): Promise<void> {
    const index = this.#indexes.get(digest);
    if (index !== undefined && this.archive.kept(index) > 0) await this.archive.reset(index);
  }

  async put(descriptor: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void> {
    const index = this.#indexes.get(descriptor.digest);
    // Manifests come from the plan, and are written with the metadata.
    if (index === undefined) return;
    const slot = this.#slotOf(descriptor);
    const { name, bodyOffset, size } = slot;
    if (size !== descriptor.size)
      throw new InternalError(`Cannot write ${name}: ${descriptor.size} bytes, planned ${size}`);
    const kept = this.archive.kept(index);
    try {
      const write: ByteSink = async (chunk, position) => {
        if (position + chunk.length <= kept) return;
        if (chunk.length === size && size <= FRAMED_BYTES) await this.#writeFramed(slot, chunk);
        else await this.archive.write(chunk, bodyOffset + position);
        await this.archive.wrote(index, position, chunk.length);
      };
      await this.#summed(descriptor, blob, write, signal);
    } catch (error) {
      if (error instanceof IntegrityError) await this.archive.reset(index);
      throw error;
    }
    this.#missing.delete(name);
  }

  /** Where a part of a blob goes; undefined for a blob that has none here. */
  part(digest: Digest): ArchivePart | undefined {
    const index = this.#indexes.get(digest);
    if (index === undefined) return undefined;
    const { name, bodyOffset } = this.#slot(this.#contents.names.get(digest) ?? digest);
    return new ArchivePart({
      archive: this.archive,
      index,
      offset: bodyOffset,
      hashes: () => this.#contents.sums?.hashes(digest),
      onDone: pieces => {
        if (pieces !== undefined) this.#pieces.set(digest, pieces);
        this.#missing.delete(name);
      },
    });
  }

  async commit(_roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void> {
    await this.writeRest(signal);
    await this.archive.publish();
  }

  /** What comes next to the blobs: the archive is complete, but for its first block. */
  async writeRest(signal?: AbortSignal): Promise<void> {
    const [missing] = this.#missing;
    if (missing !== undefined) throw new InternalError(`Cannot finish archive: ${missing} was never written`);
    const bodies = new Map<string, Uint8Array>();
    for (const file of this.#contents.files) {
      if (file.bytes === undefined) continue;
      if (!(await this.#isSigned(file, this.#slot(file.name).bodyOffset))) bodies.set(file.name, file.bytes);
    }
    await this.#writeSums(signal);
    for (const { position, bytes } of joinWrites(this.#rest(bodies))) await this.archive.write(bytes, position);
    signal?.throwIfAborted();
  }

  /** What is not written yet, but for the first header, in file order. */
  *#rest(bodies: ReadonlyMap<string, Uint8Array>): Generator<PlacedBytes> {
    for (const slot of this.#tar.slots.values()) {
      if (this.#framed.has(slot)) continue;
      const { name, headerOffset, bodyOffset, size } = slot;
      if (headerOffset > 0) yield { position: headerOffset, bytes: encodeSlotHeader(slot) };
      const bytes = bodies.get(name);
      if (bytes !== undefined) yield { position: bodyOffset, bytes };
      yield { position: bodyOffset + size, bytes: slotPadding(slot) };
    }
    yield { position: this.#tar.totalBytes - END_BYTES, bytes: new Uint8Array(END_BYTES) };
  }

  /** One write for what would be three, of thousands of small blobs. */
  async #writeFramed(slot: TarSlot, body: Uint8Array): Promise<void> {
    const isFirst = slot.headerOffset === 0;
    const parts = [...(isFirst ? [] : [encodeSlotHeader(slot)]), body, slotPadding(slot)];
    await this.archive.write(Buffer.concat(parts), isFirst ? slot.bodyOffset : slot.headerOffset);
    this.#framed.add(slot);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.archive[Symbol.asyncDispose]();
  }

  /** A complete file of an earlier run, which may not be changed, has another signature of the same key. */
  async #isSigned({ size, ...file }: ArchiveFile, bodyOffset: number): Promise<boolean> {
    if (file.bytes === undefined || file.signature === undefined) return false;
    const found = Buffer.alloc(size);
    await this.archive.file.read(found, bodyOffset);
    if (!file.signature.isAlike(found)) return false;
    this.#found.set(file.name, found);
    return true;
  }

  /** Hashes the pieces of a blob while it passes. */
  async #summed(
    { digest }: Pick<Descriptor, "digest">,
    blob: BlobSource,
    sink: ByteSink = async () => undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    const hashes = this.#contents.sums?.hashes(digest);
    if (hashes === undefined) return await pumpBlob(blob, sink, signal);
    try {
      const both: ByteSink = async (chunk, position) =>
        void (await allEnded([hashes.take(chunk), sink(chunk, position)]));
      await pumpBlob(blob, both, signal);
    } catch (error) {
      await hashes.drop();
      throw error;
    }
    this.#pieces.set(digest, await hashes.pieces());
  }

  async #writeSums(signal?: AbortSignal): Promise<void> {
    const { sums, names } = this.#contents;
    if (sums === undefined) return;
    // Layers that were written before their digest was known.
    for (const digest of sums.digests) {
      const { bodyOffset, size } = this.#slot(names.get(digest) ?? digest);
      const { file } = this.archive;
      if (this.#pieces.has(digest)) continue;
      await this.#summed({ digest }, fileSliceBlob(file.handle, bodyOffset, size, file.path), undefined, signal);
    }
    await this.archive.write(sums.bytes(this.#pieces, this.#found), this.#slot(SUMS_FILE).bodyOffset);
  }

  #slotOf({ digest }: Descriptor): TarSlot {
    return this.#slot(this.#contents.names.get(digest) ?? digest);
  }

  #slot(name: string): TarSlot {
    const slot = this.#tar.slots.get(name);
    if (slot === undefined) throw new InternalError(`Cannot write ${name}: not in the plan of the archive`);
    return slot;
  }
}
