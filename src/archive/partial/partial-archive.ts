import { dirname } from "node:path";
import { StorageError } from "../../errors.ts";
import { type DiskFile, removeFile, renameFile, syncFolder } from "../../util/disk.ts";
import { quote } from "../../util/format.ts";
import { isNamed } from "../../util/input-guard.ts";
import { storageFault } from "../../util/output-checks.ts";
import { allEnded } from "../../util/promises.ts";
import type { ArchivePlan } from "./archive-plan.ts";
import { checkWritten } from "./check-written.ts";
import type { ProgressRecord } from "./journal-record.ts";
import { reopenJournal } from "./open-journal.ts";
import { keptNote, type OpenedPartial, type ResumeOptions, writtenPrefixes } from "./opened-partial.ts";
import { Writeback } from "./writeback.ts";
import { WrittenPrefix } from "./written-prefix.ts";

// Between two syncs: a power cut costs at most twice the larger of both. Writers wait for a disk that syncs, so a fast
// pull must not sync often.
const CHECKPOINT_BYTES = 64 * 1024 * 1024;
const CHECKPOINT_MS = 5000;

/** Below this size a leftover file confuses more than resuming saves. */
const MIN_KEPT_BYTES = 1024 * 1024;

/**
 * An archive under its partial name, and the journal of what is in it. Bytes are written before the record about them, so
 * that the journal is right whatever happens in between; to survive a power cut: bytes, sync, record, sync. A file that is
 * complete needs no record: its bytes say what it is.
 */
export class PartialArchive implements AsyncDisposable {
  #opened: OpenedPartial;
  readonly #options: ResumeOptions;
  #prefixes: WrittenPrefix[];
  /** Bytes of each blob that are recorded as durable. */
  readonly #durable = new Map<number, number>();
  #unsynced = 0;
  #syncedAt = performance.now();
  #checkpoint: Promise<void> = Promise.resolve();
  readonly #writeback: Writeback;
  #isFolderSynced = false;
  #failure: unknown;
  #isDone = false;

  constructor(opened: OpenedPartial, options: ResumeOptions) {
    this.#opened = opened;
    this.#options = options;
    const sync = async (): Promise<void> => await this.#guarded(async () => await opened.file.datasync());
    this.#writeback = new Writeback(sync, options.writebackBytes);
    this.#prefixes = writtenPrefixes(opened);
  }

  get file(): DiskFile {
    return this.#opened.file;
  }

  get plan(): ArchivePlan {
    return this.#opened.plan;
  }

  /** True if the file is complete, as far as its first block says: what is written is compared with it. */
  get isReadOnly(): boolean {
    return this.#opened.isReadOnly;
  }

  /** Bytes from the start of a blob that are in the file; unchecked. */
  kept(index: number): number {
    return this.#prefixes[index]?.bytes ?? 0;
  }

  /** @throws StorageError; after the first one, nothing is written. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { file, isReadOnly, journal } = this.#opened;
    await this.#guarded(async () => {
      await journal.checkAfterPause();
      await (isReadOnly ? checkWritten(file, bytes, position) : file.write(bytes, position));
    });
  }

  /** Records that bytes of a blob are in the file. */
  async wrote(index: number, position: number, length: number): Promise<void> {
    const prefix = this.#prefixes[index];
    if (prefix?.add(position, length) !== true) return;
    await this.#guarded(async () => await this.#opened.journal.append([this.#progress(index, prefix.bytes, false)]));
    this.#unsynced += length;
    this.#writeback.wrote(length);
    const { checkpointBytes = CHECKPOINT_BYTES, checkpointMs = CHECKPOINT_MS } = this.#options;
    const now = performance.now();
    if (this.#unsynced < checkpointBytes || now - this.#syncedAt < checkpointMs) return;
    this.#unsynced = 0;
    this.#syncedAt = now;
    // One sync at a time; writers wait for it only if they are a whole window ahead of the disk.
    const before = this.#checkpoint;
    this.#checkpoint = before.then(async () => await this.#guarded(async () => await this.#makeDurable()));
    this.#checkpoint.catch(() => undefined);
    await before;
  }

  /** Discards the progress of a blob. */
  async reset(index: number): Promise<void> {
    this.#prefixes[index] = new WrittenPrefix();
    this.#durable.delete(index);
    const { journal, nonce } = this.#opened;
    await this.#guarded(async () => {
      await journal.append([{ type: "reset", nonce, index }]);
      // Before other bytes replace those of earlier records.
      await journal.sync();
    });
  }

  /**
   * Continues with another plan. The file becomes no shorter: bytes that are elsewhere in the new plan are still there.
   *
   * @param kept bytes of its blobs that are in their place already.
   */
  async replan(plan: ArchivePlan, kept: ReadonlyMap<number, number>): Promise<void> {
    await allEnded([this.#checkpoint, this.#writeback.settled()]);
    await this.#guarded(async () => {
      const { file, journal, command } = this.#opened;
      const totalBytes = Math.max(plan.totalBytes, this.#opened.plan.totalBytes);
      const nonce = await reopenJournal({ file, journal, plan, command, kept, totalBytes });
      this.#opened = { ...this.#opened, plan, nonce, kept };
      this.#prefixes = writtenPrefixes(this.#opened);
      this.#durable.clear();
    });
  }

  /** Cuts off what an earlier plan had after the end of this one. */
  async trim(): Promise<void> {
    await this.#guarded(async () => await this.#opened.file.truncate(this.#opened.plan.totalBytes));
  }

  /** Makes the file complete and durable, and renames it. */
  async publish(): Promise<void> {
    await this.finish();
    await this.rename();
    await this.settle();
  }

  /** Makes the file complete and durable, under its partial name. */
  async finish(): Promise<void> {
    const { file, journal, plan, nonce, isReadOnly, isFinal } = this.#opened;
    await allEnded([this.#checkpoint, this.#writeback.settled()]);
    await this.#guarded(async () => {
      if (!isReadOnly) {
        await this.#syncData();
        await file.write(plan.firstBlock, 0);
      }
      if (isFinal) return;
      await file.sync();
      await this.#checkStillOwn();
      // Without a sync: after a power cut, a journal that says less costs nothing but time.
      await journal.append([{ type: "done", nonce }]);
    });
  }

  /** Gives a finished file its name. */
  async rename(): Promise<void> {
    const { file, journal, path, isFinal } = this.#opened;
    await this.#guarded(async () => {
      if (!isFinal) {
        await journal.checkOwned();
        await renameFile(file.path, path);
      }
      this.#isDone = true;
    });
  }

  /** Makes the name durable, and removes the journal. */
  async settle(): Promise<void> {
    const { journal, path } = this.#opened;
    await this.#guarded(async () => {
      await syncFolder(dirname(path));
      await journal.remove();
    });
  }

  /** Without `publish`, written bytes are kept for the same command, or removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { file, journal, path, isReadOnly } = this.#opened;
    await allEnded([this.#checkpoint, this.#writeback.settled()]).catch(() => undefined);
    if (this.#isDone) {
      await file.close();
      return await journal.release();
    }
    const kept = this.#prefixes.reduce((sum, { bytes }) => sum + bytes, 0);
    const { command, onNote, onKept } = this.#options;
    if (command !== undefined && kept >= MIN_KEPT_BYTES) {
      const isOwned = await journal.isOwned().catch(() => false);
      await file.close();
      await journal.release();
      if (isOwned && onKept !== undefined) onKept(kept);
      else if (isOwned) onNote?.(keptNote(`${path}.partial`, kept));
      return;
    }
    const held = isReadOnly ? undefined : await file.stat().catch(() => undefined);
    if (held !== undefined && (await isNamed(held, file.path)) && (await journal.isOwned()))
      await removeFile(file.path).catch(() => undefined);
    await file.close();
    await journal.remove().catch(() => undefined);
  }

  async #makeDurable(): Promise<void> {
    const { journal } = this.#opened;
    const reached = this.#prefixes.map(prefix => ({ prefix, bytes: prefix.bytes }));
    await this.#syncData();
    // The system reports a fault of the disk to one sync alone, which may be the one under way in the background.
    await this.#writeback.settled();
    const records: ProgressRecord[] = [];
    for (const [index, { prefix, bytes }] of reached.entries()) {
      // A blob that was reset in the meantime starts over.
      if (bytes === (this.#durable.get(index) ?? 0) || prefix !== this.#prefixes[index]) continue;
      this.#durable.set(index, bytes);
      records.push(this.#progress(index, bytes, true));
    }
    await journal.append(records);
    await journal.sync();
  }

  /** Once with the names: an earlier file of this name must not come back next to this journal. */
  async #syncData(): Promise<void> {
    const { file, path } = this.#opened;
    await allEnded([file.datasync(), this.#isFolderSynced ? undefined : syncFolder(dirname(path))]);
    this.#isFolderSynced = true;
  }

  #progress(index: number, bytes: number, isDurable: boolean): ProgressRecord {
    const { nonce, journal } = this.#opened;
    return { type: "progress", nonce, index, bytes, isDurable, claim: journal.claim.id };
  }

  async #checkStillOwn(): Promise<void> {
    const { file, path, plan } = this.#opened;
    const held = await file.stat();
    if (held.size === plan.totalBytes && (await isNamed(held, file.path))) return;
    throw new StorageError(
      `Cannot write ${quote(path)}: ${quote(file.path)} was replaced meanwhile, expected to own it`,
      { hint: "Another run may be writing the same file: wait for it, or choose another name." },
    );
  }

  /** A later sync may report success after a failed one, so the first fault ends the writing. */
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
