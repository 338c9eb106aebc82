import type { ClaimRecord } from "../../util/lock-record.ts";
import { ProcessLock } from "../../util/process-lock.ts";
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
  static async claim(path: string, output: string): Promise<ArchiveJournal> {
    return new ArchiveJournal(await ProcessLock.claim(path, output));
  }

  get claim(): ClaimRecord {
    return this.#lock.claim;
  }

  /** Keeps the order of the calls; records that wait for an earlier write go out together. */
  async append(records: readonly JournalRecord[]): Promise<void> {
    this.#waiting.push(...records.map(encodeRecord));
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
