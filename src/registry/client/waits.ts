import type { WaitEvent } from "../../content/progress.ts";
import { HostGate } from "../http/host-gate.ts";

/** An answer that takes longer is reported: most take less than one second. */
const SLOW_ANSWER_MS = 5000;

export interface WaitsOptions {
  /** `host[:port]`, for events. */
  readonly registry: string;
  readonly onWait?: ((event: WaitEvent) => void) | undefined;
  /** Milliseconds; only differences count. */
  readonly now?: () => number;
}

/** What requests to one registry wait for, and says so. */
export class Waits {
  readonly #options: WaitsOptions;
  readonly #now: () => number;
  /** Closed while the registry limits requests: all of them then wait here. */
  readonly #gate = new HostGate();
  #limit: { readonly what: string; readonly sinceMs: number; readonly untilMs: number } | undefined;

  constructor(options: WaitsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Holds all requests until `pause` settles.
   *
   * @param waitMs how long it takes.
   * @param what the request that the registry refused.
   */
  limit(pause: Promise<void>, waitMs: number, what: string): void {
    this.#gate.closeUntil(pause);
    const now = this.#now();
    const untilMs = now + waitMs;
    // Requests that were under way are refused one after the other: only a longer wait is news.
    if (this.#limit !== undefined && untilMs <= this.#limit.untilMs) return;
    this.#limit = { what: this.#limit?.what ?? what, sinceMs: this.#limit?.sinceMs ?? now, untilMs };
    const { registry, onWait } = this.#options;
    const waitedMs = Math.round(now - this.#limit.sinceMs);
    onWait?.({ kind: "waiting", registry, reason: "limit", what: this.#limit.what, waitedMs, waitMs });
  }

  /** Resolves while the registry takes requests. A waiting caller must hold nothing that others need. */
  async pass(signal?: AbortSignal): Promise<void> {
    await this.#gate.pass(signal);
    if (this.#limit === undefined) return;
    const { what, sinceMs } = this.#limit;
    this.#limit = undefined;
    const { registry, onWait } = this.#options;
    onWait?.({ kind: "resumed", registry, reason: "limit", what, waitedMs: Math.round(this.#now() - sinceMs) });
  }

  /** Waits for the answer to a request, and says so if that takes long. */
  async answer<T>(what: string, task: () => Promise<T>): Promise<T> {
    const { registry, onWait } = this.#options;
    if (onWait === undefined) return await task();
    const sinceMs = this.#now();
    const report = (kind: WaitEvent["kind"]): void => {
      const waitedMs = Math.round(this.#now() - sinceMs);
      onWait({ kind, registry, reason: "answer", what, waitedMs });
    };
    let isReported = false;
    let timer: NodeJS.Timeout | undefined;
    // What the listener throws must reject the request, not end the process.
    const refused = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        isReported = true;
        try {
          report("waiting");
        } catch (error) {
          reject(error);
        }
      }, SLOW_ANSWER_MS);
    });
    try {
      return await Promise.race([task(), refused]);
    } finally {
      clearTimeout(timer);
      if (isReported) report("resumed");
    }
  }
}
