import { fileSliceBlob } from "../../content/blob.ts";
import type { BlobSource, CopyPlan, ImageTarget } from "../../content/contracts.ts";
import type { Digest } from "../../oci/digest.ts";
import { openPartialArchive } from "../partial/open-partial-archive.ts";
import type { PartialArchive } from "../partial/partial-archive.ts";
import { replanPartialArchive } from "../partial/replan-partial-archive.ts";
import type { ArchiveContentsOptions, ArchiveFormat } from "./archive-contents.ts";
import { type ArchiveFileOptions, ArchiveSession } from "./archive-file-target.ts";
import { plannedArchive } from "./planned-archive.ts";

/** No file begins like this: what has placeholders in it is never whole. */
const NO_BLOCK = new Uint8Array(0);

/** The place of a blob whose digest is not known yet. */
export interface BlobSlot {
  /** Bytes; the blob may turn out to be larger or smaller. */
  readonly size: number;
  /** What an interrupted run has left of the blob; unchecked. */
  kept(): BlobSource | undefined;
  /**
   * Writes nothing that is kept already.
   *
   * @param position from the start of the blob; the slot does not end before the last byte.
   */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Discards all bytes. */
  reset(): Promise<void>;
}

export interface DraftTargetOptions extends Omit<ArchiveContentsOptions, "format"> {
  /** Digest → the placeholder that it had in the draft. */
  readonly formerDigests: ReadonlyMap<Digest, Digest>;
  /** Placeholders of blobs that this process has written whole to their slots, and hashed on the way. */
  readonly placed: ReadonlySet<Digest>;
}

/**
 * An archive file that is written before the digests of its layers are known: it is planned with placeholders. Layers go to
 * their places at once; if other sizes, or equal layers, change the places of what follows, the bytes are moved.
 */
export class ArchiveDraft implements AsyncDisposable {
  readonly #archive: PartialArchive;
  readonly #format: ArchiveFormat | undefined;
  #isHandedOver = false;

  private constructor(archive: PartialArchive, format: ArchiveFormat | undefined) {
    this.#archive = archive;
    this.#format = format;
  }

  /** @throws StorageError as `openPartialArchive`. */
  static async open(
    path: string,
    plan: CopyPlan,
    options: ArchiveFileOptions,
    signal?: AbortSignal,
  ): Promise<ArchiveDraft> {
    const archive = { ...plannedArchive(plan, options).archive, firstBlock: NO_BLOCK };
    return new ArchiveDraft(await openPartialArchive(path, archive, options.resume ?? {}, signal), options.format);
  }

  /** @returns undefined if the draft has no blob with this placeholder. */
  slot(placeholder: Digest): BlobSlot | undefined {
    const archive = this.#archive;
    const index = archive.plan.blobs.findIndex(({ digest }) => digest === placeholder);
    const blob = archive.plan.blobs[index];
    if (blob === undefined) return undefined;
    const { file } = archive;
    const { size, offset } = blob;
    return {
      size,
      kept: () => {
        const bytes = archive.kept(index);
        return bytes === 0 ? undefined : fileSliceBlob(file.handle, offset, bytes, file.path);
      },
      async write(bytes, position) {
        if (position + bytes.length <= archive.kept(index)) return;
        await archive.write(bytes, offset + position);
        await archive.wrote(index, position, bytes.length);
      },
      reset: async () => await archive.reset(index),
    };
  }

  /** The same file, once all digests are known. */
  target({ formerDigests, placed, ...options }: DraftTargetOptions): ImageTarget {
    return {
      begin: async (plan, signal) => {
        const planned = plannedArchive(plan, { ...options, format: this.#format });
        const stayed = await replanPartialArchive(this.#archive, planned.archive, formerDigests, signal);
        this.#isHandedOver = true;
        // Of equal blobs, the one that was written may be another than the one that stays.
        const hashed = new Set([...stayed].filter(digest => placed.has(formerDigests.get(digest) ?? digest)));
        return new ArchiveSession(this.#archive, planned, hashed);
      },
    };
  }

  /** Keeps what is in the file for the same command, as `PartialArchive` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isHandedOver) await this.#archive[Symbol.asyncDispose]();
  }
}
