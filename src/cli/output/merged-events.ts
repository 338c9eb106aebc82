import type { ProgressEvent } from "../../index.ts";

/**
 * Holds back events that follow each other quickly: bytes of one blob are added up, and of steps and readings the last one
 * counts. The sums stay the same.
 */
export class MergedEvents {
  readonly #held = new Map<string, ProgressEvent>();
  readonly #write: (event: ProgressEvent) => void;

  constructor(write: (event: ProgressEvent) => void) {
    this.#write = write;
  }

  take(event: ProgressEvent): void {
    const key = keyOf(event);
    if (key === undefined) {
      if ("blob" in event) this.#release(`bytes ${event.blob}`);
      this.#write(event);
      return;
    }
    const held = this.#held.get(key);
    const isSum = event.kind === "bytes" && held?.kind === "bytes";
    this.#held.set(key, isSum ? { ...event, delta: event.delta + held.delta } : event);
  }

  /** Writes what is held. */
  release(): void {
    for (const key of [...this.#held.keys()]) this.#release(key);
  }

  #release(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#write(held);
  }
}

function keyOf(event: ProgressEvent): string | undefined {
  if (event.kind === "bytes") return `bytes ${event.blob}`;
  if (event.kind === "step") return `step ${event.step}`;
  return event.kind === "reading" ? `reading ${event.archive}` : undefined;
}
