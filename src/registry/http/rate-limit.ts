import { sleepFor } from "./retry.ts";

/** Smallest burst without a wait: one read of a socket. */
const MIN_BURST_BYTES = 64 * 1024;

export interface RateLimitOptions {
  /** Milliseconds; only differences count. */
  readonly now?: () => number;
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/**
 * A token bucket that all bodies of a run share, in both directions. A caller that takes more than is left waits until
 * its bytes are paid for.
 */
export class RateLimit {
  readonly bytesPerSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #sleep: NonNullable<RateLimitOptions["sleep"]>;
  /** Bytes left; below zero while bytes are not paid for yet. */
  #left: number;
  #at: number;

  constructor(bytesPerSecond: number, { now = () => performance.now(), sleep = sleepFor }: RateLimitOptions = {}) {
    this.bytesPerSecond = bytesPerSecond;
    this.#burst = Math.max(MIN_BURST_BYTES, bytesPerSecond / 10);
    this.#now = now;
    this.#sleep = sleep;
    this.#left = this.#burst;
    this.#at = now();
  }

  /** A promise when these bytes have to wait. It rejects with the signal's reason. */
  take(bytes: number, signal?: AbortSignal): Promise<void> | undefined {
    const now = this.#now();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) * this.bytesPerSecond) / 1000);
    this.#at = now;
    this.#left -= bytes;
    if (this.#left >= 0) return undefined;
    return this.#sleep((-this.#left * 1000) / this.bytesPerSecond, signal);
  }
}
