import { abortable, deferred } from "../promises.ts";
import { LimitSearch } from "./limit-search.ts";

/** Transfers at once, when a call begins. */
const START = 6;

export interface PaceOptions {
  /** Never more than this at once. */
  readonly max: number;
  /** Default 6, or `max` if that is less. */
  readonly start?: number | undefined;
  /** Milliseconds; only differences count. */
  readonly now?: (() => number) | undefined;
}

/** Lets the next task begin. */
export type Leave = () => void;

/**
 * One limit for all transfers of a call, in the order in which they come. It grows while more of them bring more, and
 * halves when a server refuses.
 *
 * A task must not wait for another one to enter: where each holds one of the last turns, none would end.
 */
export class Pace {
  readonly max: number;
  readonly #search: LimitSearch;
  readonly #now: () => number;
  #running = 0;
  /** Since then, more could run than there are. */
  #starvedSince: number | undefined;
  readonly #waiting = new Set<(leave: Leave) => void>();

  constructor({ max, start = START, now = () => performance.now() }: PaceOptions) {
    this.max = max;
    this.#now = now;
    this.#starvedSince = now();
    this.#search = new LimitSearch({ start: Math.min(start, max), max, now });
  }

  /** How many tasks may run now. */
  get limit(): number {
    return this.#search.limit;
  }

  /** Runs `task` when it is its turn. @throws what `task` throws, or the reason of the abort. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const leave = await this.enter(signal);
    try {
      return await task();
    } finally {
      leave();
    }
  }

  /** Waits for a turn, which lasts until `leave` is called. @throws the reason of the abort. */
  async enter(signal?: AbortSignal): Promise<Leave> {
    signal?.throwIfAborted();
    if (this.#waiting.size === 0 && this.#running < this.limit) return this.#begin();
    const turn = deferred<Leave>();
    this.#waiting.add(turn.resolve);
    try {
      return await abortable(turn.promise, signal);
    } catch (error) {
      // The turn may have come together with the abort.
      if (!this.#waiting.delete(turn.resolve)) void turn.promise.then(leave => leave());
      throw error;
    }
  }

  /** Bytes have moved, in either direction. */
  moved(bytes: number): void {
    this.#noteStarved();
    this.#search.moved(bytes);
    this.#fill();
  }

  /** A server takes less than it gets: status 429 or 503, or no answer in time. */
  pushedBack(): void {
    this.#search.pushedBack();
  }

  #begin(): Leave {
    this.#noteStarved();
    this.#running += 1;
    if (this.#running >= this.limit) this.#starvedSince = undefined;
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      this.#noteStarved();
      this.#running -= 1;
      this.#search.finished();
      this.#fill();
    };
  }

  #noteStarved(): void {
    if (this.#starvedSince === undefined) return;
    const now = this.#now();
    this.#search.starved(now - this.#starvedSince);
    this.#starvedSince = now;
  }

  #fill(): void {
    for (const resolve of this.#waiting) {
      if (this.#running >= this.limit) return;
      this.#waiting.delete(resolve);
      resolve(this.#begin());
    }
    if (this.#running < this.limit) this.#starvedSince ??= this.#now();
  }
}

/** A limit that stays as it is: for work of this machine alone. */
export function fixedPace(limit: number): Pace {
  return new Pace({ max: limit, start: limit });
}
