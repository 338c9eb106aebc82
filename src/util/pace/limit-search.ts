/** Milliseconds; at least this long is measured before a limit is compared with another one. */
const WINDOW_MS = 250;
/** Large blobs end rarely: after this time, the bytes alone say enough. */
const LONG_WINDOW_MS = 2000;
/** What took longer says nothing about the limit: the registry was away, or this machine slept. */
const MAX_WINDOW_MS = 10_000;
/** At most so long, the work that began below the old limit is waited for. */
const SETTLE_MS = 1000;
/** A higher limit must bring at least this share of what it would bring if nothing else held the work back. */
const MIN_GAIN = 0.3;
/** Share of the time in which there may be too few tasks. */
const MAX_STARVED = 0.1;
/** From the first higher limit that brought too little to the next attempt; it doubles each time. */
const FIRST_HOLD_MS = 2000;
const PUSHED_BACK_HOLD_MS = 10_000;
const MAX_HOLD_MS = 60_000;
/** All that is refused at the same time is one refusal. */
const SAME_REFUSAL_MS = 1000;

interface Rates {
  readonly limit: number;
  readonly bytes: number;
  readonly finished: number;
}

export interface LimitSearchOptions {
  readonly start: number;
  readonly max: number;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
}

/**
 * Finds how many transfers at once are worthwhile: more are tried while all are in use, and kept if bytes and finished
 * tasks per second grow with them. Before more are given up they are measured twice, and then compared with what fewer bring.
 * It halves when a server refuses.
 */
export class LimitSearch {
  #limit: number;
  readonly #max: number;
  readonly #now: () => number;
  /** What the limit before the last rise brought; undefined if the limit has proved itself. */
  #before: Rates | undefined;
  /** The higher limit has brought too little once: a pause of the line or of this machine looks the same. */
  #isDoubted = false;
  /** What the limit brought that was given up last, until the lower one is measured again. */
  #givenUp: Rates | undefined;
  /** Doubles the limit, until the first time that more brought nothing. */
  #isFirstRise = true;
  #holdMs = FIRST_HOLD_MS;
  #holdUntil = Number.NEGATIVE_INFINITY;
  #refusedAt = Number.NEGATIVE_INFINITY;
  /** Tasks that must end before the measurement begins. */
  #settling = 0;
  #since: number;
  #bytes = 0;
  #finished = 0;
  #starvedMs = 0;

  constructor({ start, max, now }: LimitSearchOptions) {
    this.#limit = start;
    this.#max = max;
    this.#now = now;
    this.#since = now();
  }

  /** How many transfers at once are tried now. */
  get limit(): number {
    return this.#limit;
  }

  /** Bytes have moved, in either direction. */
  moved(bytes: number): void {
    if (bytes > 0) this.#bytes += bytes;
    this.#look();
  }

  /** A task has ended. */
  finished(): void {
    this.#finished += 1;
    this.#look();
  }

  /** For this time there were fewer tasks than the limit allows: what was measured in it says nothing about the limit. */
  starved(ms: number): void {
    this.#starvedMs += ms;
  }

  /** The server takes less than it gets: status 429 or 503, or no answer in time. */
  pushedBack(): void {
    const now = this.#now();
    if (now - this.#refusedAt < SAME_REFUSAL_MS) return;
    this.#refusedAt = now;
    this.#forget();
    this.#isFirstRise = false;
    this.#hold(now, PUSHED_BACK_HOLD_MS);
    this.#moveTo(Math.max(1, Math.floor(this.#limit / 2)), now);
  }

  #look(): void {
    if (this.#max === 1) return;
    const now = this.#now();
    const ms = now - this.#since;
    if (this.#settling > 0) {
      if (this.#finished >= this.#settling || ms >= SETTLE_MS) this.#restart(now);
      return;
    }
    // Tasks that take the same time begin and end together: whole rounds of them are compared.
    const isRound = this.#finished >= 2 * this.#limit && this.#finished % this.#limit === 0;
    if (ms < (isRound ? WINDOW_MS : LONG_WINDOW_MS)) return;
    const rates = { limit: this.#limit, bytes: this.#bytes / ms, finished: this.#finished / ms };
    const isFull = this.#starvedMs <= MAX_STARVED * ms && ms <= MAX_WINDOW_MS;
    this.#restart(now);
    if (isFull) this.#judge(rates, now);
  }

  #judge(rates: Rates, now: number): void {
    const before = this.#before;
    if (before !== undefined && !isWorthwhile(before, rates)) {
      if (this.#isDoubted) this.#giveUp(before, rates, now);
      else this.#isDoubted = true;
      return;
    }
    const givenUp = this.#givenUp;
    this.#forget();
    if (before !== undefined) this.#holdMs = FIRST_HOLD_MS;
    if (givenUp !== undefined && isWorthwhile(rates, givenUp)) {
      // All of it has become slower meanwhile: that was not the higher limit's doing.
      this.#isFirstRise = givenUp.limit >= 2 * rates.limit;
      this.#holdUntil = now;
    }
    if (now < this.#holdUntil || this.#limit >= this.#max) return;
    const next = this.#isFirstRise ? 2 * this.#limit : this.#limit + Math.max(1, Math.round(this.#limit / 4));
    this.#before = rates;
    this.#moveTo(Math.min(this.#max, next), now);
  }

  #giveUp(before: Rates, rates: Rates, now: number): void {
    this.#forget();
    this.#givenUp = rates;
    this.#isFirstRise = false;
    this.#hold(now, FIRST_HOLD_MS);
    this.#moveTo(before.limit, now);
  }

  #forget(): void {
    this.#before = undefined;
    this.#isDoubted = false;
    this.#givenUp = undefined;
  }

  #hold(now: number, minMs: number): void {
    const ms = Math.max(minMs, this.#holdMs);
    this.#holdUntil = now + ms;
    this.#holdMs = Math.min(MAX_HOLD_MS, 2 * ms);
  }

  #moveTo(limit: number, now: number): void {
    this.#restart(now);
    this.#settling = this.#limit;
    this.#limit = limit;
  }

  #restart(now: number): void {
    this.#settling = 0;
    this.#since = now;
    this.#bytes = 0;
    this.#finished = 0;
    this.#starvedMs = 0;
  }
}

function isWorthwhile(before: Rates, after: Rates): boolean {
  return gain(before, after) >= 1 + MIN_GAIN * (after.limit / before.limit - 1);
}

/**
 * How much faster `after` is. The mix of sizes changes all the time, and bytes and tasks change with it in opposite
 * directions: their mean does not.
 */
function gain(before: Rates, after: Rates): number {
  const ratios = [
    ...(before.bytes > 0 && after.bytes > 0 ? [after.bytes / before.bytes] : []),
    ...(before.finished > 0 && after.finished > 0 ? [after.finished / before.finished] : []),
  ];
  if (ratios.length === 0) return 1;
  return ratios.reduce((product, ratio) => product * ratio, 1) ** (1 / ratios.length);
}
