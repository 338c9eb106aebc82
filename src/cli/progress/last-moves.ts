const MOVES = 8;
/** A window with this many says the same, and sooner. */
const ENOUGH_MOVES = 5;
/** Moves that follow each other within this time count as one. */
const TOGETHER_MS = 500;

/** When the last bytes moved. Of a slow line they come so seldom that a window of some seconds has now three moves, now four. */
export class LastMoves {
  /** The oldest first. */
  readonly #moves: { readonly ms: number; bytes: number }[] = [];

  add(nowMs: number, bytes: number): void {
    const last = this.#moves.at(-1);
    if (last !== undefined && nowMs - last.ms < TOGETHER_MS) {
      last.bytes += bytes;
      return;
    }
    this.#moves.push({ ms: nowMs, bytes });
    if (this.#moves.length > MOVES) this.#moves.shift();
  }

  /** Milliseconds between two moves; 0 before the third one. */
  get gapMs(): number {
    const [first] = this.#moves;
    const last = this.#moves.at(-1);
    return first === undefined || last === undefined || this.#moves.length < 3
      ? 0
      : (last.ms - first.ms) / (this.#moves.length - 1);
  }

  /**
   * Bytes per second between the moves that are kept; a move that is late counts, too.
   *
   * @returns undefined if a window of the last `windowMs` has enough moves.
   */
  slowRate(windowMs: number, nowMs: number): number | undefined {
    const [first, ...others] = this.#moves;
    if (first === undefined || this.gapMs * ENOUGH_MOVES <= windowMs) return undefined;
    const bytes = others.reduce((sum, move) => sum + move.bytes, 0);
    const untilMs = Math.max(others.at(-1)?.ms ?? nowMs, nowMs - this.gapMs);
    return (Math.max(0, bytes) / (untilMs - first.ms)) * 1000;
  }
}
