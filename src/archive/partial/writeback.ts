/** Bytes after which the disk starts to write. */
const WRITEBACK_BYTES = 64 * 1024 * 1024;

/**
 * Has the system write a file to the disk while bytes still arrive, so that the last sync finds little left to wait for. No
 * one waits for these syncs, and no record follows from them.
 */
export class Writeback {
  readonly #sync: () => Promise<void>;
  readonly #everyBytes: number;
  #waiting = 0;
  #running: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(sync: () => Promise<void>, everyBytes: number = WRITEBACK_BYTES) {
    this.#sync = sync;
    this.#everyBytes = everyBytes;
  }

  wrote(bytes: number): void {
    this.#waiting += bytes;
    if (this.#waiting < this.#everyBytes || this.#running !== undefined) return;
    this.#waiting = 0;
    this.#last = this.#running = this.#sync().finally(() => {
      this.#running = undefined;
    });
    this.#last.catch(() => undefined);
  }

  /** Waits for the sync that is under way. @throws what the last one threw: another sync need not report the same fault. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
