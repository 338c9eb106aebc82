import type { ProgressEvent } from "../../index.ts";
import { counted, escapeForeign } from "../../util/format.ts";
import { MAX_NOTE, noteText } from "../output/note-text.ts";

type Retry = Extract<ProgressEvent, { readonly kind: "retry" }>;

interface Noted {
  /** When the last one was printed. */
  atMs: number;
  /** Those that were not printed since. */
  left: number;
  last: string;
}

/** Many requests to one registry fail together: one line for each interval says so. */
export class RetryNotes {
  readonly #intervalMs: number | undefined;
  readonly #registries = new Map<string, Noted>();

  /** @param intervalMs undefined where another line shows the retries under way: then only the end says how many there were. */
  constructor(intervalMs: number | undefined) {
    this.#intervalMs = intervalMs;
  }

  /** The line to print; undefined if one was printed a short time ago. */
  noteOf(retry: Retry, nowMs: number): string | undefined {
    const { registry, message } = retry;
    const noted = this.#registries.get(registry);
    const isDue = this.#intervalMs !== undefined && nowMs - (noted?.atMs ?? -Infinity) >= this.#intervalMs;
    const left = noted?.left ?? 0;
    const now = isDue ? { atMs: nowMs, left: 0 } : { atMs: noted?.atMs ?? -Infinity, left: left + 1 };
    this.#registries.set(registry, { ...now, last: message });
    if (!isDue) return undefined;
    return `${noteText(retry)}${left === 0 ? "" : ` (${counted(left, "more retry", "more retries")} before)`}`;
  }

  /** What was not printed, once: a line for each registry. */
  *rest(): Generator<string> {
    for (const [registry, { left, atMs, last }] of this.#registries) {
      if (left === 0) continue;
      const more = atMs === -Infinity ? "" : "more ";
      const count = counted(left, `${more}request was`, `${more}requests were`);
      yield `${escapeForeign(registry)}: ${count} sent again${more === "" ? `; the last one: ${escapeForeign(last, MAX_NOTE)}` : ""}`;
    }
    this.#registries.clear();
  }
}
