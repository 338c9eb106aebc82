import type { Clock } from "../../src/util/time/clock.ts";

/** A clock that a test sets forward; what is due before then runs at its time. */
export class FakeProgressClock implements Clock {
  #ms = 0;
  readonly #timers = new Set<{ nextMs: number; readonly everyMs: number; readonly task: () => void }>();

  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#ms;
  }

  every(everyMs: number, task: () => void): () => void {
    const timer = { nextMs: this.#ms + everyMs, everyMs, task };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** The process is stopped: nothing runs in the meantime. */
  sleep(seconds: number): void {
    this.#ms += seconds * 1000;
    for (const timer of this.#timers) {
      timer.task();
      timer.nextMs = this.#ms + timer.everyMs;
    }
  }

  forward(seconds: number): void {
    const endMs = this.#ms + seconds * 1000;
    for (;;) {
      const due = [...this.#timers].sort((left, right) => left.nextMs - right.nextMs)[0];
      if (due === undefined || due.nextMs >= endMs) break;
      this.#ms = due.nextMs;
      due.nextMs += due.everyMs;
      due.task();
    }
    this.#ms = endMs;
  }
}
