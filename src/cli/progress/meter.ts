import { LastMoves } from "./last-moves.ts";

const SLOT_MS = 500;
/** Of one blob, 5 s: a stall shows soon. */
const BLOB_SLOTS = 10;
/** Of the whole call, 10 s: neither the rate nor the time left, which is of that rate, jumps with each large blob. */
const CALL_SLOTS = 20;
const MIN_RATE_MS = 1000;
/** Data of less time says nothing about the rest. */
const MIN_ESTIMATE_MS = 2000;
/** Nor does that of less time than this, if it is less than this part of the whole: the first small blobs. */
const SURE_MS = 10_000;
const SURE_PART = 0.01;
/** Longer without bytes is a stall: the rest of its time is in no rate. */
const STALL_MS = 5000;
/** So often the usual time between two moves is a stall, too: a slow line is none. */
const STALL_GAPS = 3;

/** Counts the bytes of one phase, or of one blob. Times are in milliseconds. */
export class Meter {
  total: number | undefined;
  #bytes = 0;
  /** Those of them that were not skipped. */
  #moved = 0;
  /** Bytes that moved in each of the last slots; the slot with number N is at N modulo the length. */
  readonly #slots: Float64Array;
  /** Number of the newest slot. */
  #slot = 0;
  /** Without the time that is left out. */
  #startedMs: number | undefined;
  #movedMs = 0;
  /** Time that is in no rate. */
  #leftOutMs = 0;
  /** Of a line so slow that its window has few of them. */
  readonly #moves = new LastMoves();

  /** @param isEstimated false for a meter without `secondsLeft`, which is smaller. */
  constructor(isEstimated = true) {
    this.#slots = new Float64Array(isEstimated ? CALL_SLOTS : BLOB_SLOTS);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Time counts from here on, or from the first byte. */
  start(nowMs: number): void {
    if (this.#startedMs !== undefined) return;
    this.#startedMs = nowMs;
    this.#movedMs = nowMs;
  }

  /** Bytes that took time to move. */
  move(bytes: number, nowMs: number): void {
    this.start(nowMs);
    this.leaveOut(this.#silentMs(nowMs) - this.#stallMs, nowMs);
    this.#movedMs = this.#advance(nowMs);
    this.#moves.add(this.#movedMs, bytes);
    const at = this.#slot % this.#slots.length;
    this.#slots[at] = (this.#slots[at] ?? 0) + bytes;
    this.#bytes += bytes;
    this.#moved += bytes;
  }

  /** Bytes that are done without being moved: they say nothing about the rate. */
  skip(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Time in which nothing could move: an outage, or a machine that slept. */
  leaveOut(ms: number, nowMs: number): void {
    if (this.#startedMs !== undefined) this.#leftOutMs += Math.max(0, Math.min(ms, this.#silentMs(nowMs)));
  }

  /** Of the time since the first byte. */
  get leftOutMs(): number {
    return this.#leftOutMs;
  }

  /** Bytes per second of the last seconds; undefined in the first second. */
  rate(nowMs: number): number | undefined {
    if (this.#isStalled(nowMs)) return 0;
    return this.#rateOf(this.#slots.length, MIN_RATE_MS, nowMs);
  }

  /** By the rate; undefined while nothing moves. */
  secondsLeft(nowMs: number): number | undefined {
    const { bytes, total } = this;
    if (total === undefined || total <= bytes || this.#isStalled(nowMs)) return undefined;
    const minMs = this.#moved < total * SURE_PART ? SURE_MS : MIN_ESTIMATE_MS;
    const rate = this.#rateOf(this.#slots.length, minMs, nowMs);
    return rate === undefined || rate === 0 ? undefined : (total - bytes) / rate;
  }

  /** Milliseconds between two moves, of the last few. */
  get gapMs(): number {
    return this.#moves.gapMs;
  }

  #isStalled(nowMs: number): boolean {
    return this.#startedMs !== undefined && this.#silentMs(nowMs) > this.#stallMs;
  }

  get #stallMs(): number {
    return Math.max(STALL_MS, STALL_GAPS * this.gapMs);
  }

  /** Without bytes. */
  #silentMs(nowMs: number): number {
    return nowMs - this.#leftOutMs - this.#movedMs;
  }

  #rateOf(slots: number, minMs: number, nowMs: number): number | undefined {
    if (this.#startedMs === undefined) return undefined;
    const now = this.#advance(nowMs);
    if (now - this.#startedMs < minMs) return undefined;
    const slow = this.#moves.slowRate(slots * SLOT_MS, now);
    if (slow !== undefined) return slow;
    let moved = 0;
    for (let age = 0; age < slots && age <= this.#slot; age += 1)
      moved += this.#slots[(this.#slot - age) % this.#slots.length] ?? 0;
    const fromMs = Math.max(this.#startedMs, (this.#slot - slots + 1) * SLOT_MS);
    // Bytes that are sent again count as negative.
    return (Math.max(0, moved) / (now - fromMs)) * 1000;
  }

  /** Starts the slot of this moment, and empties those in between. @returns the moment without what is left out. */
  #advance(nowMs: number): number {
    const now = nowMs - this.#leftOutMs;
    const slot = Math.max(this.#slot, Math.floor(now / SLOT_MS));
    if (slot - this.#slot >= this.#slots.length) this.#slots.fill(0);
    else for (let next = this.#slot + 1; next <= slot; next += 1) this.#slots[next % this.#slots.length] = 0;
    this.#slot = slot;
    return now;
  }
}
