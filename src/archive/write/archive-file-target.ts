import { fileSliceBlob } from "../../content/blob.ts";
import type { BlobSource, ImageTarget, Presence, SettledRoot, TargetSession } from "../../content/contracts.ts";
import { pumpBlob } from "../../content/pump.ts";
import { verified } from "../../content/verified.ts";
import { IntegrityError, InternalError, StorageError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { encodeSlotHeader, planGaps, type TarPlan, type TarSlot } from "../../tar/tar-plan.ts";
import { type ArchiveLayout, type ArchiveLayoutOptions, layOutArchive, planArchive } from "./archive-layout.ts";
import { hash, openPartialArchive } from "./open-partial-archive.ts";
import type { ArchivePlan, PartialArchive, PlannedBlob, ResumeOptions } from "./partial-archive.ts";

export interface UniversalArchiveOptions extends ArchiveLayoutOptions {
  readonly resume?: ResumeOptions | undefined;
}

/**
 * One tar that is an OCI layout and a docker archive in one, unless `format` asks for less, and changes no byte of what
 * it holds. The same images give the same file, byte for byte. All offsets are known before the first blob comes, so
 * blobs are written in any order, and what a broken run has written is kept.
 */
export function universalArchive(path: string, options: UniversalArchiveOptions): ImageTarget {
  return {
    async begin(plan) {
      const layout = layOutArchive(plan, options);
      const tar = planArchive(layout);
      const archive = await openPartialArchive(path, archivePlan(layout, tar), options.resume ?? {});
      return new ArchiveSession(archive, tar, layout);
    },
  };
}

function archivePlan(layout: ArchiveLayout, tar: TarPlan): ArchivePlan {
  const [first] = tar.slots.values();
  if (first === undefined) throw new InternalError("Cannot write archive: nothing is in it, expected oci-layout");
  const contents = layout.files.map(({ name, size, bytes }) => [name, size, bytes && hash(bytes)]);
  return {
    id: hash(JSON.stringify(contents)),
    totalBytes: tar.totalBytes,
    firstBlock: encodeSlotHeader(first),
    blobs: blobsOf(layout, tar),
  };
}

/** Those whose bytes are still to come. */
function blobsOf(layout: ArchiveLayout, tar: TarPlan): readonly PlannedBlob[] {
  return [...layout.names].flatMap(([digest, name]) => {
    const slot = tar.slots.get(name);
    return slot === undefined ? [] : [{ digest, size: slot.size, offset: slot.bodyOffset }];
  });
}

class ArchiveSession implements TargetSession {
  readonly #archive: PartialArchive;
  readonly #tar: TarPlan;
  readonly #layout: ArchiveLayout;
  readonly #missing: Set<string>;
  readonly #indexes: ReadonlyMap<string, number>;

  constructor(archive: PartialArchive, tar: TarPlan, layout: ArchiveLayout) {
    this.#archive = archive;
    this.#tar = tar;
    this.#layout = layout;
    this.#missing = new Set(layout.names.values());
    this.#indexes = new Map([...layout.names.keys()].map((digest, index) => [digest, index]));
  }

  async has(descriptor: Descriptor, signal?: AbortSignal): Promise<Presence> {
    const kept = this.kept(descriptor);
    if (kept?.size !== descriptor.size) return "absent";
    try {
      await pumpBlob(verified(descriptor, kept, this.#archive.file.path), async () => undefined, signal);
    } catch (error) {
      // What cannot be read may be written anew: the disk puts it elsewhere then.
      if (!(error instanceof IntegrityError || error instanceof StorageError)) throw error;
      await this.forget(descriptor);
      return "absent";
    }
    this.#missing.delete(this.#slotOf(descriptor).name);
    return "kept";
  }

  kept(descriptor: Descriptor): BlobSource | undefined {
    const bytes = this.#archive.kept(this.#indexes.get(descriptor.digest) ?? -1);
    if (bytes === 0) return undefined;
    const { file } = this.#archive;
    return fileSliceBlob(file.handle, this.#slotOf(descriptor).bodyOffset, bytes, file.path);
  }

  async forget({ digest }: Descriptor): Promise<void> {
    const index = this.#indexes.get(digest);
    if (index !== undefined && this.#archive.kept(index) > 0) await this.#archive.reset(index);
  }

  async put(descriptor: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void> {
    const index = this.#indexes.get(descriptor.digest);
    // Manifests are written with the metadata, from the plan.
    if (index === undefined) return;
    const { name, bodyOffset, size } = this.#slotOf(descriptor);
    if (size !== descriptor.size)
      throw new InternalError(`Cannot write ${name}: ${descriptor.size} bytes, planned ${size}`);
    const kept = this.#archive.kept(index);
    try {
      await pumpBlob(
        blob,
        async (chunk, position) => {
          if (position + chunk.length <= kept) return;
          await this.#archive.write(chunk, bodyOffset + position);
          await this.#archive.wrote(index, position, chunk.length);
        },
        signal,
      );
    } catch (error) {
      if (error instanceof IntegrityError) await this.#archive.reset(index);
      throw error;
    }
    this.#missing.delete(name);
  }

  async commit(_roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void> {
    const [missing] = this.#missing;
    if (missing !== undefined) throw new InternalError(`Cannot finish archive: ${missing} was never written`);
    for (const { name, bytes } of this.#layout.files) {
      if (bytes !== undefined) await this.#archive.write(bytes, this.#slot(name).bodyOffset);
    }
    const [, ...others] = this.#tar.slots.values();
    for (const slot of others) await this.#archive.write(encodeSlotHeader(slot), slot.headerOffset);
    for (const { position, length } of planGaps(this.#tar)) await this.#archive.write(new Uint8Array(length), position);
    signal?.throwIfAborted();
    await this.#archive.publish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#archive[Symbol.asyncDispose]();
  }

  #slotOf({ digest }: Descriptor): TarSlot {
    return this.#slot(this.#layout.names.get(digest) ?? digest);
  }

  #slot(name: string): TarSlot {
    const slot = this.#tar.slots.get(name);
    if (slot === undefined) throw new InternalError(`Cannot write ${name}: the archive has no place for it`);
    return slot;
  }
}
