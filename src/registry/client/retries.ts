import { ImgpackError } from "../../errors.ts";
import { isRateLimit, isTimeout } from "../http/network-error.ts";
import { retry, sleepFor } from "../http/retry.ts";
import type { RegistryClientOptions } from "./client-options.ts";
import type { Shared } from "./identity.ts";

export type RetriesOptions = Pick<RegistryClientOptions, "registry" | "onRetry" | "onPushBack" | "attempts" | "quota">;

/** How often one request outlives its registry. A request that makes the registry end must not be sent for ever. */
const MAX_OUTAGES = 5;

/**
 * Repeats what fails for transient reasons. While a registry limits requests, or does not answer any more, all requests to
 * it wait.
 */
export class Retries {
  readonly #options: RetriesOptions;
  readonly #shared: Shared;

  constructor(options: RetriesOptions, shared: Shared) {
    this.#options = options;
    this.#shared = shared;
  }

  /** Repeats `task` while it fails for transient reasons, and reports each retry. @param what as in messages. */
  async run<T>(what: string, signal: AbortSignal | undefined, task: (attempt: number) => Promise<T>): Promise<T> {
    const attempt = async (): Promise<T> => await this.#surviving(what, signal, task);
    const close = (pause: Promise<void>, waitMs: number): void => this.#shared.waits.limit(pause, waitMs, what);
    const { quota } = this.#options;
    return quota === undefined ? await attempt() : await quota.waiting(attempt, close, signal);
  }

  /** An outage, however long, takes no attempts of its own. */
  async #surviving<T>(
    what: string,
    signal: AbortSignal | undefined,
    task: (attempt: number) => Promise<T>,
  ): Promise<T> {
    const { outages: hosts } = this.#shared;
    const since = hosts.lost.now;
    let before = 0;
    for (let outages = 0; ; outages += 1) {
      let last = 0;
      try {
        return await this.#retrying(what, signal, async attempt => {
          last = before + attempt;
          return await task(last);
        });
      } catch (error) {
        signal?.throwIfAborted();
        if (outages === MAX_OUTAGES || !(error instanceof ImgpackError)) throw error;
        if (!(await hosts.survive(what, error, signal))) {
          throw hosts.giveUp(error, since, this.#options.quota?.isWaiting === true);
        }
        before = last;
      }
    }
  }

  async #retrying<T>(what: string, signal: AbortSignal | undefined, task: (attempt: number) => Promise<T>): Promise<T> {
    const { attempts, registry, onRetry, onPushBack } = this.#options;
    let isLimited = false;
    return await retry(task, {
      signal,
      attempts,
      isLasting: error => this.#shared.outages.isGone(error) || this.#shared.outages.isLost(error),
      onRetry: event => {
        isLimited = isRateLimit(event.error);
        if (isLimited || isTimeout(event.error)) onPushBack?.();
        onRetry?.(event, what, registry);
      },
      sleep: async (ms, stop) => {
        const pause = sleepFor(ms, stop);
        if (isLimited) this.#shared.waits.limit(pause, ms, what);
        await pause;
      },
    });
  }
}
