import { append } from "../../util/append.ts";
import type { ClaimRecord } from "../../util/lock/lock-record.ts";
import { type LockOptions, ProcessLock } from "../../util/lock/process-lock.ts";
import { decodeRecords, encodeRecord, type JournalRecord } from "./journal-record.ts";

/** What has been written to a partial archive, and the lock on it. */
export class ArchiveJournal {
  /** Of earlier runs. */
  readonly records: readonly JournalRecord[];
  readonly #lock: ProcessLock;
  #waiting: Uint8Array[] = [];
  /** The write that takes what waits, once the one before it has ended. */
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  private constructor(lock: ProcessLock) {
    this.records = [...decodeRecords(lock.earlier)];
    this.#lock = lock;
  }

  /**
   * Opens or creates the journal, and makes this process its owner.
   *
   * @param output the archive, for messages.
   * @throws StorageError while another process writes the same archive, or if `path` is no journal.
   */
  static async claim(path: string, output: string, options: LockOptions = {}): Promise<ArchiveJournal> {
    return new ArchiveJournal(await ProcessLock.claim(path, output, options));
  }

  get claim(): ClaimRecord {
    return this.#lock.claim;
  }

  /** True if the last owner may stand still, and write to the archive when it continues. */
  get isFromSilentOwner(): boolean {
    return this.#lock.isFromSilentOwner;
  }

  /** False if another process owns the journal, and so the archive, now. */
  async isOwned(): Promise<boolean> {
    return await this.#lock.isOwned();
  }

  /** @throws StorageError if another process owns the archive now. */
  async checkOwned(): Promise<void> {
    await this.#lock.checkOwned();
  }

  /** As `checkOwned`, but reads the journal only after this process stood still. */
  async checkAfterPause(): Promise<void> {
    await this.#lock.checkAfterPause();
  }

  /** Keeps the order of the calls; records that wait for an earlier write go out together. */
  async append(records: readonly JournalRecord[]): Promise<void> {
    append(this.#waiting, records.map(encodeRecord));
    this.#next ??= this.#writeAfter(this.#last);
    this.#last = this.#next;
    await this.#next;
  }

  async sync(): Promise<void> {
    await this.#lock.sync();
  }

  /** Leaves the journal for the next run. */
  async release(): Promise<void> {
    await this.#last.catch(() => undefined);
    await this.#lock.release();
  }

  /** For an archive that is finished, or given up. */
  async remove(): Promise<void> {
    await this.#lock.remove();
  }

  async #writeAfter(before: Promise<void>): Promise<void> {
    await before.catch(() => undefined);
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#next = undefined;
    await this.#lock.append(bytes);
  }
}
