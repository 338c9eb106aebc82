import { type ImgpackError, RegistryError } from "../../errors.ts";
import { formatDuration } from "../../util/format.ts";
import { type HeaderMap, headerText } from "./headers.ts";
import { sleepFor } from "./retry.ts";

export interface RequestQuotaOptions {
  /** As in references. */
  readonly registry: string;
  readonly onNote?: ((text: string) => void) | undefined;
  /** Waits until the registry takes requests again, instead of failing. Default false. */
  readonly waits?: boolean | undefined;
}

/** Docker Hub's window. */
const MAX_WAIT_SECONDS = 6 * 3600;
/** Where the registry says nothing. */
const DEFAULT_WAIT_SECONDS = 15 * 60;
/** A registry that never takes a request again must not hold a run for ever. */
const MAX_WAITS = 100;

/**
 * How many requests a registry still takes: Docker Hub says so in `ratelimit-limit: 100;w=21600` (requests; seconds of the
 * window), `ratelimit-remaining` and `ratelimit-reset` (seconds).
 */
export class RequestQuota {
  readonly #options: RequestQuotaOptions;
  /** Shares of the limit below which what is left is noted, the next one last. */
  readonly #thresholds = [0, 0.1, 0.5];
  #limit: number | undefined;
  #remaining: number | undefined;
  #windowSeconds: number | undefined;
  #waitSeconds: number | undefined;
  #waits = 0;

  constructor(options: RequestQuotaOptions) {
    this.#options = options;
  }

  /** Whether it waits for the registry, instead of failing. */
  get isWaiting(): boolean {
    return this.#options.waits === true;
  }

  /** Takes what an answer of the registry says. */
  see(status: number, headers: HeaderMap): void {
    if (status === 429) this.#waitSeconds = secondsIn(headers, "ratelimit-reset") ?? secondsIn(headers, "retry-after");
    const limit = quotaIn(headers, "ratelimit-limit");
    const remaining = quotaIn(headers, "ratelimit-remaining");
    if (limit === undefined || remaining === undefined || limit.count === 0) return;
    this.#limit = limit.count;
    this.#remaining = remaining.count;
    this.#windowSeconds = limit.windowSeconds ?? remaining.windowSeconds;
    this.#noteLeft(remaining.count / limit.count);
  }

  #noteLeft(share: number): void {
    const next = this.#thresholds.at(-1);
    if (next === undefined || share > next) return;
    while (share <= (this.#thresholds.at(-1) ?? Number.NEGATIVE_INFINITY)) this.#thresholds.pop();
    const window = this.#windowSeconds === undefined ? "" : ` in ${formatDuration(this.#windowSeconds)}`;
    const { registry, onNote } = this.#options;
    onNote?.(`${registry} takes ${this.#limit} requests${window}: ${this.#remaining} are left`);
  }

  /**
   * Runs `task`, again after each wait for the registry.
   *
   * @param close is called with each wait: other requests must wait, too.
   */
  async waiting<T>(
    task: () => Promise<T>,
    close: (pause: Promise<void>, waitMs: number) => void,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    for (;;) {
      try {
        return await task();
      } catch (error) {
        signal?.throwIfAborted();
        const waitMs = this.#waitAfter(error);
        if (waitMs === undefined) throw error;
        const pause = sleepFor(waitMs, signal);
        close(pause, waitMs);
        await pause;
      }
    }
  }

  /** Milliseconds to wait before a refused request can succeed; undefined if it is not waited for. Notes the wait. */
  #waitAfter(error: unknown): number | undefined {
    const { registry, waits, onNote } = this.#options;
    if (waits !== true || !isQuotaError(error) || this.#waits === MAX_WAITS) return undefined;
    this.#waits += 1;
    const seconds = Math.min(MAX_WAIT_SECONDS, this.#waitSeconds ?? DEFAULT_WAIT_SECONDS);
    onNote?.(`${registry} takes no more requests now: waiting ${formatDuration(seconds)}`);
    return seconds * 1000;
  }
}

function isQuotaError(error: unknown): error is ImgpackError {
  return error instanceof RegistryError && error.status === 429;
}

function quotaIn(
  headers: HeaderMap,
  name: string,
): { readonly count: number; readonly windowSeconds: number | undefined } | undefined {
  const [, count, window] = /^\s*([0-9]{1,9})\s*(?:;\s*w=([0-9]{1,9}))?/.exec(headerText(headers, name) ?? "") ?? [];
  if (count === undefined) return undefined;
  return { count: Number(count), windowSeconds: window === undefined ? undefined : Number(window) };
}

function secondsIn(headers: HeaderMap, name: string): number | undefined {
  const [, digits] = /^\s*([0-9]{1,9})\s*$/.exec(headerText(headers, name) ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits);
}
