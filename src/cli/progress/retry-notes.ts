import type { ProgressEvent } from "../../index.ts";
import { counted, escapeForeign } from "../../util/format.ts";
import { noteText } from "../output/note-text.ts";

type Retry = Extract<ProgressEvent, { readonly kind: "retry" }>;

interface Noted {
  /** When the last one was printed. */
  atMs: number;
  /** Those that were not printed since. */
  left: number;
}

/** Many requests to one registry fail together: one line for each interval says so. */
export class RetryNotes {
  readonly #intervalMs: number;
  readonly #registries = new Map<string, Noted>();

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** The line to print; undefined if one was printed a short time ago. */
  noteOf(retry: Retry, nowMs: number): string | undefined {
    const noted = this.#registries.get(retry.registry);
    if (noted !== undefined && nowMs - noted.atMs < this.#intervalMs) {
      noted.left += 1;
      return undefined;
    }
    this.#registries.set(retry.registry, { atMs: nowMs, left: 0 });
    return `${noteText(retry)}${noted === undefined || noted.left === 0 ? "" : ` (${counted(noted.left, "more retry", "more retries")} before)`}`;
  }

  /** What was not printed, once. */
  *rest(): Generator<string> {
    for (const [registry, { left }] of this.#registries) {
      if (left > 0)
        yield `${escapeForeign(registry)}: ${counted(left, "more request was", "more requests were")} sent again`;
    }
    this.#registries.clear();
  }
}
