import type { BlobSource, ImageTarget, Presence, SettledRoot, TargetSession } from "../content/contracts.ts";
import { pumpBlob } from "../content/pump.ts";
import { InternalError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { encodeSlotHeader, planGaps, type TarPlan, type TarSlot } from "../tar/tar-plan.ts";
import { PartialFile } from "../util/partial-file.ts";
import { type ArchiveLayout, type ArchiveLayoutOptions, layOutArchive, planArchive } from "./archive-layout.ts";

/** Bytes between two early syncs: the last one must not have gigabytes to wait for. */
const FLUSH_BYTES = 64 * 1024 * 1024;

/**
 * One tar that is an OCI layout and a docker archive in one, unless `format` asks for less, and changes no byte of what
 * it holds. The same images give the same file, byte for byte. All offsets are known before the first blob comes, so
 * blobs are written in any order.
 */
export function universalArchive(path: string, options: ArchiveLayoutOptions): ImageTarget {
  return {
    async begin(plan) {
      const layout = layOutArchive(plan, options);
      const tar = planArchive(layout);
      const file = await PartialFile.create(path, tar.totalBytes);
      const session = new ArchiveSession(file, tar, layout);
      try {
        for (const { name, bytes } of layout.files) if (bytes !== undefined) await session.writeWhole(name, bytes);
      } catch (error) {
        await session[Symbol.asyncDispose]();
        throw error;
      }
      return session;
    },
  };
}

class ArchiveSession implements TargetSession {
  readonly #file: PartialFile;
  readonly #tar: TarPlan;
  readonly #layout: ArchiveLayout;
  readonly #missing: Set<string>;
  #unflushed = 0;
  #flushing: Promise<void> = Promise.resolve();

  constructor(file: PartialFile, tar: TarPlan, layout: ArchiveLayout) {
    this.#file = file;
    this.#tar = tar;
    this.#layout = layout;
    this.#missing = new Set(tar.slots.keys());
  }

  async writeWhole(name: string, bytes: Uint8Array): Promise<void> {
    await this.#file.write(bytes, this.#slot(name).bodyOffset);
    this.#missing.delete(name);
  }

  async has(): Promise<Presence> {
    return "absent";
  }

  async put(descriptor: Descriptor, blob: BlobSource, signal?: AbortSignal): Promise<void> {
    const name = this.#layout.names.get(descriptor.digest);
    // Manifests were written with the metadata, from the plan.
    if (name === undefined) return;
    const { bodyOffset, size } = this.#slot(name);
    if (size !== descriptor.size)
      throw new InternalError(`Cannot write ${name}: ${descriptor.size} bytes, planned ${size}`);
    await pumpBlob(
      blob,
      async (chunk, position) => {
        await this.#file.write(chunk, bodyOffset + position);
        await this.#wrote(chunk.length);
      },
      signal,
    );
    this.#missing.delete(name);
  }

  async commit(_roots: readonly SettledRoot[], signal?: AbortSignal): Promise<void> {
    const [missing] = this.#missing;
    if (missing !== undefined) throw new InternalError(`Cannot finish archive: ${missing} was never written`);
    for (const slot of this.#tar.slots.values()) await this.#file.write(encodeSlotHeader(slot), slot.headerOffset);
    for (const { position, length } of planGaps(this.#tar)) await this.#file.write(new Uint8Array(length), position);
    await this.#flushing;
    signal?.throwIfAborted();
    await this.#file.publish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flushing.catch(() => undefined);
    await this.#file[Symbol.asyncDispose]();
  }

  #slot(name: string): TarSlot {
    const slot = this.#tar.slots.get(name);
    if (slot === undefined) throw new InternalError(`Cannot write ${name}: the archive has no place for it`);
    return slot;
  }

  /** One early sync at a time; writers wait for it only when they are a whole window ahead of the disk. */
  async #wrote(bytes: number): Promise<void> {
    this.#unflushed += bytes;
    if (this.#unflushed < FLUSH_BYTES) return;
    this.#unflushed = 0;
    await this.#flushing;
    this.#flushing = this.#file.flush();
    this.#flushing.catch(() => undefined);
  }
}
