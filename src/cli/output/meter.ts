/** Data of less time says nothing about the rest. */
const MIN_ESTIMATE_MS = 2000;
const MIN_RATE_MS = 1000;

/** Counts the bytes of one phase. Times are in milliseconds. */
export class Meter {
  total: number | undefined;
  #moved = 0;
  #skipped = 0;
  #startedMs: number | undefined;

  get bytes(): number {
    return this.#moved + this.#skipped;
  }

  /** Bytes that took time to move. */
  move(bytes: number, nowMs: number): void {
    this.#startedMs ??= nowMs;
    this.#moved += bytes;
  }

  /** Bytes that are done without being moved: they say nothing about the rate. */
  skip(bytes: number): void {
    this.#skipped += bytes;
  }

  /** Bytes per second since the first byte. */
  rate(nowMs: number): number | undefined {
    const elapsedMs = this.#elapsed(nowMs);
    return elapsedMs < MIN_RATE_MS ? undefined : (this.#moved / elapsedMs) * 1000;
  }

  secondsLeft(nowMs: number): number | undefined {
    const { bytes, total } = this;
    if (total === undefined || total <= bytes || this.#moved <= 0) return undefined;
    const elapsedMs = this.#elapsed(nowMs);
    return elapsedMs < MIN_ESTIMATE_MS ? undefined : ((total - bytes) / this.#moved) * (elapsedMs / 1000);
  }

  #elapsed(nowMs: number): number {
    return this.#startedMs === undefined ? 0 : nowMs - this.#startedMs;
  }
}
