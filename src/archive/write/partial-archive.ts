import { lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { StorageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { type DiskFile, removeFile, renameFile, syncFolder } from "../../util/disk.ts";
import { formatBytes, quote } from "../../util/format.ts";
import { storageFault } from "../../util/output-checks.ts";
import type { ArchiveJournal } from "./archive-journal.ts";
import type { ProgressRecord } from "./journal-record.ts";
import { WrittenPrefix } from "./written-prefix.ts";

/** Bytes between two syncs: what a power cut costs, once over. */
const CHECKPOINT_BYTES = 64 * 1024 * 1024;

/** Less is fetched again sooner than anybody has wondered what the files are. */
const MIN_KEPT_BYTES = 1024 * 1024;

/** An archive to be written; everything in it follows from what `id` is a hash of. */
export interface ArchivePlan {
  /** 16 bytes in hex. */
  readonly id: string;
  readonly totalBytes: number;
  readonly blobs: readonly PlannedBlob[];
  /** The first header: while it is missing, no reader takes the file for a tar. */
  readonly firstBlock: Uint8Array;
}

export interface PlannedBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly offset: number;
}

/** How an unfinished archive is treated. */
export interface ResumeOptions {
  /** What the user asked for: the same again goes on where a run broke off. Without it, a broken run leaves nothing. */
  readonly command?: string | undefined;
  /** Begins afresh, whatever is there. */
  readonly restart?: boolean | undefined;
  /** Bytes between two syncs; for tests. */
  readonly checkpointBytes?: number | undefined;
  readonly onNote?: ((text: string) => void) | undefined;
}

export interface OpenedPartial {
  readonly path: string;
  readonly plan: ArchivePlan;
  readonly file: DiskFile;
  readonly journal: ArchiveJournal;
  readonly nonce: string;
  /** By blob. */
  readonly kept: ReadonlyMap<number, number>;
  /** It has its final name already: nothing is written, only compared. */
  readonly isFinal: boolean;
}

/**
 * An archive under its partial name, and the journal of what is in it. Order of writes (what the journal says is in the
 * file, whatever happens in between): data, then record; for what must survive a power cut data, sync, record, sync.
 */
export class PartialArchive implements AsyncDisposable {
  readonly #opened: OpenedPartial;
  readonly #options: ResumeOptions;
  readonly #prefixes: WrittenPrefix[];
  /** Of each blob, what is recorded as durable. */
  readonly #durable = new Map<number, number>();
  #unsynced = 0;
  #checkpoint: Promise<void> = Promise.resolve();
  #isFolderSynced = false;
  #failure: unknown;
  #isDone = false;

  constructor(opened: OpenedPartial, options: ResumeOptions) {
    this.#opened = opened;
    this.#options = options;
    this.#prefixes = opened.plan.blobs.map((_, index) => new WrittenPrefix(opened.kept.get(index)));
  }

  get file(): DiskFile {
    return this.#opened.file;
  }

  /** Bytes at the beginning of a blob that are in the file, unchecked. */
  kept(index: number): number {
    return this.#prefixes[index]?.bytes ?? 0;
  }

  /** @throws StorageError; after the first one nothing more is written. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { file, isFinal } = this.#opened;
    await this.#guarded(async () => {
      if (!isFinal) return await file.write(bytes, position);
      const there = Buffer.alloc(bytes.length);
      await file.read(there, position);
      if (there.equals(bytes)) return;
      throw new StorageError(
        `Cannot finish ${quote(file.path)}: byte ${position} and those after it were changed, expected them as they were written`,
        { hint: "Run the command again with --restart." },
      );
    });
  }

  /** Records that bytes of a blob are in the file. */
  async wrote(index: number, position: number, length: number): Promise<void> {
    const prefix = this.#prefixes[index];
    if (prefix?.add(position, length) !== true) return;
    await this.#guarded(async () => await this.#opened.journal.append([this.#progress(index, prefix.bytes, false)]));
    this.#unsynced += length;
    const { checkpointBytes = CHECKPOINT_BYTES } = this.#options;
    if (this.#unsynced < checkpointBytes) return;
    this.#unsynced = 0;
    // One sync at a time; writers wait for it only when they are a whole window ahead of the disk.
    const before = this.#checkpoint;
    this.#checkpoint = before.then(async () => await this.#guarded(async () => await this.#makeDurable()));
    this.#checkpoint.catch(() => undefined);
    await before;
  }

  /** Nothing of the blob counts any more. */
  async reset(index: number): Promise<void> {
    this.#prefixes[index] = new WrittenPrefix();
    this.#durable.delete(index);
    const { journal, nonce } = this.#opened;
    await this.#guarded(async () => {
      await journal.append([{ type: "reset", nonce, index }]);
      // Before other bytes take the place of those that earlier records speak of.
      await journal.sync();
    });
  }

  /** Makes the file durable and whole, and gives it its name. */
  async publish(): Promise<void> {
    const { file, journal, path, plan, nonce, isFinal } = this.#opened;
    await this.#checkpoint;
    await this.#guarded(async () => {
      if (!isFinal) {
        // The journal and both names, too: without the marker only the journal tells whose file it is.
        await this.#makeDurable();
        await file.write(plan.firstBlock, 0);
        await file.sync();
        await this.#checkStillOwn();
        await journal.append([{ type: "done", nonce }]);
        await journal.sync();
        await renameFile(file.path, path);
      }
      this.#isDone = true;
      await syncFolder(dirname(path));
      await journal.remove();
    });
  }

  /** Without `publish` what is there is kept for the same command, or else removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { file, journal, path, isFinal } = this.#opened;
    await this.#checkpoint.catch(() => undefined);
    if (this.#isDone) {
      await file.close();
      return await journal.release();
    }
    const kept = this.#prefixes.reduce((sum, { bytes }) => sum + bytes, 0);
    const { command, onNote } = this.#options;
    if (command !== undefined && kept >= MIN_KEPT_BYTES) {
      await file.close();
      await journal.release();
      onNote?.(
        `${quote(`${path}.partial`)} keeps ${formatBytes(kept)}: run the same command again to go on, or remove it and its journal`,
      );
      return;
    }
    if (!isFinal && (await this.#isNamed())) await removeFile(file.path).catch(() => undefined);
    await file.close();
    await journal.remove().catch(() => undefined);
  }

  async #makeDurable(): Promise<void> {
    const { file, journal, path } = this.#opened;
    const reached = this.#prefixes.map(prefix => ({ prefix, bytes: prefix.bytes }));
    await file.datasync();
    // The name, too: what had it before must not come back beside this journal.
    if (!this.#isFolderSynced) await syncFolder(dirname(path));
    this.#isFolderSynced = true;
    const records: ProgressRecord[] = [];
    for (const [index, { prefix, bytes }] of reached.entries()) {
      // A blob that was reset meanwhile begins anew.
      if (bytes === (this.#durable.get(index) ?? 0) || prefix !== this.#prefixes[index]) continue;
      this.#durable.set(index, bytes);
      records.push(this.#progress(index, bytes, true));
    }
    await journal.append(records);
    await journal.sync();
  }

  #progress(index: number, bytes: number, isDurable: boolean): ProgressRecord {
    const { nonce, journal } = this.#opened;
    return { type: "progress", nonce, index, bytes, isDurable, claim: journal.claim.id };
  }

  async #checkStillOwn(): Promise<void> {
    const { file, path, plan } = this.#opened;
    const { size } = await file.stat();
    if (size === plan.totalBytes && (await this.#isNamed())) return;
    throw new StorageError(
      `Cannot write ${quote(path)}: ${quote(file.path)} was replaced meanwhile, expected to own it`,
      { hint: "Another run may be writing the same file: wait for it, or choose another name." },
    );
  }

  async #isNamed(): Promise<boolean> {
    const { file } = this.#opened;
    const [held, named] = await Promise.all([
      file.stat().catch(() => undefined),
      lstat(file.path).catch(() => undefined),
    ]);
    return held !== undefined && named?.ino === held.ino && named.dev === held.dev;
  }

  /** A later sync may report success after a failed one: the first fault ends the writing. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await work();
    } catch (cause) {
      this.#failure ??= storageFault(this.#opened.path, this.#opened.plan.totalBytes, cause);
      throw this.#failure;
    }
  }
}
