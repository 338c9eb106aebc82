import { type DiskFile, openForUpdate } from "../disk.ts";
import { isSameFile } from "../input-guard.ts";
import { deferred } from "../promises.ts";
import { encodeBeat } from "./lock-record.ts";

/** Milliseconds between two signs of life of a claim. */
export const BEAT_MS = 2000;

/** Renews a claim by overwriting its beat in the lock file. Does not keep the process running. */
export class Heartbeat {
  readonly #lockFile: DiskFile;
  readonly #id: string;
  readonly #offset: number;
  readonly #isLocal: boolean;
  readonly #isOwned: () => Promise<boolean>;
  readonly #timer: NodeJS.Timeout;
  /** An append handle cannot overwrite. */
  #file: DiskFile | undefined;
  #count = 0;
  #beatAt = now();
  #isLost = false;
  readonly #lost = deferred<void>();
  #isBusy = false;
  #last: Promise<void> = Promise.resolve();

  /**
   * @param id of the claim.
   * @param offset of its beat in the file.
   * @param isLocal whether no other machine can read the file.
   * @param isOwned reads the file: whether no other process ended the claim.
   */
  constructor(lockFile: DiskFile, id: string, offset: number, isLocal: boolean, isOwned: () => Promise<boolean>) {
    this.#lockFile = lockFile;
    this.#id = id;
    this.#offset = offset;
    this.#isLocal = isLocal;
    this.#isOwned = isOwned;
    this.#timer = setInterval(() => this.#tick(), BEAT_MS);
    this.#timer.unref();
  }

  /** Whether no other process can have ended the claim; reads the file only if the last beat was long ago. */
  async isSafe(): Promise<boolean> {
    if (!this.#isLost && isLongAgo(this.#beatAt) && !(await this.#isOwned())) this.lose();
    return !this.#isLost;
  }

  /** Resolves when the claim is known to be lost. */
  get lost(): Promise<void> {
    return this.#lost.promise;
  }

  /** Another process ended the claim: it is not renewed anymore. */
  lose(): void {
    this.#isLost = true;
    this.#lost.resolve();
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
    if (this.#file === undefined) return this.lose();
    this.#count += 1;
    await this.#file.write(encodeBeat(this.#id, this.#count), this.#offset);
    // A network disk may keep it on this machine for longer than others watch.
    if (!this.#isLocal) await this.#file.datasync();
    this.#beatAt = now();
  }

  /** @returns undefined if another file has the name. */
  async #open(): Promise<DiskFile | undefined> {
    const file = await openForUpdate(this.#lockFile.path);
    if (isSameFile(await file.stat(), await this.#lockFile.stat())) return file;
    await file.close();
    return undefined;
  }
}

/** In milliseconds. Linux stops the monotonic clock while the machine is suspended, and the other one can be set back. */
interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

function now(): Moment {
  return { monotonic: performance.now(), wall: Date.now() };
}

function isLongAgo({ monotonic, wall }: Moment): boolean {
  return Math.max(performance.now() - monotonic, Date.now() - wall) > 2 * BEAT_MS;
}
