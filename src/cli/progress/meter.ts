const SLOT_MS = 500;
/** Slots that the rate is of, 5 s: a stall shows soon. */
const RATE_SLOTS = 10;
/** Slots that the time left is estimated from, 30 s: it does not jump with each large blob. */
const ESTIMATE_SLOTS = 60;
/** Data of less time says nothing about the rest. */
const MIN_ESTIMATE_MS = 2000;
const MIN_RATE_MS = 1000;

/** Counts the bytes of one phase, or of one blob. Times are in milliseconds. */
export class Meter {
  total: number | undefined;
  #bytes = 0;
  /** Bytes that moved in each of the last slots; the slot with number N is at N modulo the length. */
  readonly #slots: Float64Array;
  /** Number of the newest slot. */
  #slot = 0;
  #startedMs: number | undefined;

  /** @param isEstimated false for a meter without `secondsLeft`, which is smaller. */
  constructor(isEstimated = true) {
    this.#slots = new Float64Array(isEstimated ? ESTIMATE_SLOTS : RATE_SLOTS);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Time counts from here on, or from the first byte. */
  start(nowMs: number): void {
    this.#startedMs ??= nowMs;
  }

  /** Bytes that took time to move. */
  move(bytes: number, nowMs: number): void {
    this.start(nowMs);
    this.#advance(nowMs);
    const at = this.#slot % this.#slots.length;
    this.#slots[at] = (this.#slots[at] ?? 0) + bytes;
    this.#bytes += bytes;
  }

  /** Bytes that are done without being moved: they say nothing about the rate. */
  skip(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Bytes per second of the last 5 seconds; undefined in the first second. */
  rate(nowMs: number): number | undefined {
    return this.#rateOf(RATE_SLOTS, MIN_RATE_MS, nowMs);
  }

  /** Undefined while nothing moves. */
  secondsLeft(nowMs: number): number | undefined {
    const { bytes, total } = this;
    if (total === undefined || total <= bytes || !this.rate(nowMs)) return undefined;
    const rate = this.#rateOf(this.#slots.length, MIN_ESTIMATE_MS, nowMs);
    return rate === undefined || rate === 0 ? undefined : (total - bytes) / rate;
  }

  #rateOf(slots: number, minMs: number, nowMs: number): number | undefined {
    if (this.#startedMs === undefined || nowMs - this.#startedMs < minMs) return undefined;
    this.#advance(nowMs);
    let moved = 0;
    for (let age = 0; age < slots && age <= this.#slot; age += 1)
      moved += this.#slots[(this.#slot - age) % this.#slots.length] ?? 0;
    const fromMs = Math.max(this.#startedMs, (this.#slot - slots + 1) * SLOT_MS);
    // Bytes that are sent again count as negative.
    return (Math.max(0, moved) / (nowMs - fromMs)) * 1000;
  }

  /** Starts the slot of this moment, and empties those in between. */
  #advance(nowMs: number): void {
    const slot = Math.max(this.#slot, Math.floor(nowMs / SLOT_MS));
    if (slot - this.#slot >= this.#slots.length) this.#slots.fill(0);
    else for (let next = this.#slot + 1; next <= slot; next += 1) this.#slots[next % this.#slots.length] = 0;
    this.#slot = slot;
  }
}
