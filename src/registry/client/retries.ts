import { isRateLimit, isTimeout } from "../http/network-error.ts";
import { retry, sleepFor } from "../http/retry.ts";
import type { RegistryClientOptions } from "./client-options.ts";
import type { Waits } from "./waits.ts";

export type RetriesOptions = Pick<RegistryClientOptions, "registry" | "onRetry" | "onPushBack" | "attempts" | "quota">;

/** Repeats what fails for transient reasons. While a registry limits requests, all requests to it wait. */
export class Retries {
  readonly #options: RetriesOptions;
  readonly #waits: Waits;

  constructor(options: RetriesOptions, waits: Waits) {
    this.#options = options;
    this.#waits = waits;
  }

  /** Repeats `task` while it fails for transient reasons, and reports each retry. @param what as in messages. */
  async run<T>(what: string, signal: AbortSignal | undefined, task: (attempt: number) => Promise<T>): Promise<T> {
    const attempt = async (): Promise<T> => await this.#retrying(what, signal, task);
    const close = (pause: Promise<void>, waitMs: number): void => this.#waits.limit(pause, waitMs, what);
    const { quota } = this.#options;
    return quota === undefined ? await attempt() : await quota.waiting(attempt, close, signal);
  }

  async #retrying<T>(what: string, signal: AbortSignal | undefined, task: (attempt: number) => Promise<T>): Promise<T> {
    const { attempts, registry, onRetry, onPushBack } = this.#options;
    let isLimited = false;
    return await retry(task, {
      signal,
      attempts,
      onRetry: event => {
        isLimited = isRateLimit(event.error);
        if (isLimited || isTimeout(event.error)) onPushBack?.();
        onRetry?.(event, what, registry);
      },
      sleep: async (ms, stop) => {
        const pause = sleepFor(ms, stop);
        if (isLimited) this.#waits.limit(pause, ms, what);
        await pause;
      },
    });
  }
}
