import { type DiskFile, openForUpdate } from "../disk.ts";
import { isSameFile } from "../input-guard.ts";
import { encodeBeat } from "./lock-record.ts";

/** Milliseconds between two signs of life of a claim. */
export const BEAT_MS = 2000;

/** Renews a claim by overwriting its beat in the lock file. Does not keep the process running. */
export class Heartbeat {
  readonly #lockFile: DiskFile;
  readonly #id: string;
  readonly #offset: number;
  readonly #isOwned: () => Promise<boolean>;
  readonly #timer: NodeJS.Timeout;
  /** An append handle cannot overwrite. */
  #file: DiskFile | undefined;
  #count = 0;
  /** In milliseconds, of the monotonic clock, which also runs while the process stands still. */
  #beatAt = performance.now();
  #isLost = false;
  #isBusy = false;
  #last: Promise<void> = Promise.resolve();

  /**
   * @param id of the claim.
   * @param offset of its beat in the file.
   * @param isOwned reads the file: whether no other process ended the claim.
   */
  constructor(lockFile: DiskFile, id: string, offset: number, isOwned: () => Promise<boolean>) {
    this.#lockFile = lockFile;
    this.#id = id;
    this.#offset = offset;
    this.#isOwned = isOwned;
    this.#timer = setInterval(() => this.#tick(), BEAT_MS);
    this.#timer.unref();
  }

  /** Whether no other process can have ended the claim; reads the file only if the last beat was long ago. */
  async isSafe(): Promise<boolean> {
    if (performance.now() - this.#beatAt > 2 * BEAT_MS && !this.#isLost) this.#isLost = !(await this.#isOwned());
    return !this.#isLost;
  }

  /** Ends when the last write has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#last;
    await this.#file?.close();
  }

  #tick(): void {
    // A disk that hangs must not collect writes.
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#last = this.#beat()
      // At worst, a process elsewhere takes over, which `checkOwned` reports.
      .catch(() => undefined)
      .finally(() => {
        this.#isBusy = false;
      });
  }

  async #beat(): Promise<void> {
    // First, because the beat makes the claim look safe.
    if (!(await this.isSafe())) return;
    this.#file ??= await this.#open();
    this.#count += 1;
    await this.#file?.write(encodeBeat(this.#id, this.#count), this.#offset);
    this.#beatAt = performance.now();
  }

  async #open(): Promise<DiskFile | undefined> {
    const file = await openForUpdate(this.#lockFile.path);
    if (isSameFile(await file.stat(), await this.#lockFile.stat())) return file;
    await file.close();
    return undefined;
  }
}
