/** Milliseconds; at least as long as a pause that counts as a broken connection. */
const MIN_WINDOW_MS = 60_000;
const DEFAULT_MIN_RATE = 1024;
/** A check that comes later than this says that the process stood still: SIGSTOP, or a laptop with a closed lid. */
const STOOD_STILL_MS = 5000;

export interface MinRateOptions {
  /** Bytes per second; 0 for none, default 1024. */
  readonly minRate?: number | undefined;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly idleMs: number;
  /** Milliseconds; only differences count. */
  readonly now?: () => number;
}

/**
 * Watches one body while it waits for the other side. A side that sends, or takes, a byte now and then is never idle,
 * and would hold the run for days. Time in which this side is slow does not count.
 */
export class MinRate {
  readonly #windowMs: number;
  /** Bytes that must move in each window. */
  readonly #needed: number;
  readonly #onSlow: (fault: Error) => void;
  /** Of the current window. */
  #bytes = 0;
  #waitedMs = 0;
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #now: () => number;

  /** @param onSlow ends the transfer. */
  constructor(
    { minRate = DEFAULT_MIN_RATE, idleMs, now = () => performance.now() }: MinRateOptions,
    onSlow: (fault: Error) => void,
  ) {
    this.#windowMs = Math.max(MIN_WINDOW_MS, idleMs);
    this.#needed = (minRate * this.#windowMs) / 1000;
    this.#onSlow = onSlow;
    this.#now = now;
  }

  /** From now on, this side waits. */
  start(): void {
    if (this.#needed === 0 || this.#since !== undefined) return;
    this.#since = this.#now();
    this.#timer = setTimeout(() => this.#check(), this.#windowMs - this.#waitedMs);
  }

  /** The wait is over, or another one than for the other side. */
  stop(): void {
    if (this.#since === undefined) return;
    clearTimeout(this.#timer);
    this.#waitedMs = Math.min(this.#windowMs, this.#waitedMs + this.#now() - this.#since);
    this.#since = undefined;
    this.#bytes = Math.min(this.#bytes, this.#needed);
  }

  /** Bytes have come. More than a window needs do not count for later ones. */
  took(bytes: number): void {
    this.#bytes = Math.min(this.#bytes + bytes, this.#needed);
  }

  /** Bytes are about to be sent, and nothing says how many of them have been taken: they get the time that they need. */
  sends(bytes: number): void {
    this.#bytes += bytes;
  }

  #check(): void {
    const isLate = this.#now() - (this.#since ?? 0) > this.#windowMs - this.#waitedMs + STOOD_STILL_MS;
    this.#since = undefined;
    this.#waitedMs = 0;
    // Nothing is known of that time: the next window counts.
    if (isLate) {
      this.#bytes = 0;
      this.start();
      return;
    }
    if (this.#bytes < this.#needed) {
      this.#onSlow(Object.assign(new Error("the transfer is too slow"), { code: "ETOOSLOW" }));
      return;
    }
    this.#bytes -= this.#needed;
    this.start();
  }
}
