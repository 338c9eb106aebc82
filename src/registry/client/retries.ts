import { ImgpackError, RegistryError } from "../../errors.ts";
import { isConnectFault, isRateLimit, isTimeout } from "../http/network-error.ts";
import { retry, sleepFor } from "../http/retry.ts";
import type { RegistryClientOptions } from "./client-options.ts";
import type { Requester } from "./crowd.ts";
import type { Shared } from "./identity.ts";

export type RetriesOptions = Pick<RegistryClientOptions, "registry" | "onRetry" | "onPushBack" | "attempts" | "quota"> &
  Partial<Pick<RegistryClientOptions, "transport">>;

/** How often one request outlives its registry. A request that makes the registry end must not be sent for ever. */
const MAX_OUTAGES = 5;
/** The same of one that found no connection, and so is not the cause: of many requests at once, some have bad luck. */
const MAX_UNSENT_OUTAGES = 50;

export interface RetryingOptions {
  /** Attempts in total; default: as many as the client makes. */
  readonly attempts?: number | undefined;
  /** The registry may limit this kind of request alone: then it is not given up, and not waited for for hours. Default false. */
  readonly hasOwnLimit?: boolean | undefined;
}

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
  async run<T>(
    what: string,
    signal: AbortSignal | undefined,
    task: (attempt: number) => Promise<T>,
    options: RetryingOptions = {},
  ): Promise<T> {
    const attempt = async (): Promise<T> => await this.#surviving(what, signal, task, options);
    const close = (pause: Promise<void>, waitMs: number): void => this.#shared.waits.limit(pause, waitMs, what);
    const { quota } = this.#options;
    return quota === undefined || options.hasOwnLimit === true
      ? await attempt()
      : await quota.waiting(attempt, close, signal);
  }

  /** An outage, however long, takes no attempts of its own. */
  async #surviving<T>(
    what: string,
    signal: AbortSignal | undefined,
    task: (attempt: number) => Promise<T>,
    { attempts = this.#options.attempts, hasOwnLimit = false }: RetryingOptions,
  ): Promise<T> {
    const { outages: hosts } = this.#shared;
    const since = hosts.lost.now;
    const isLimitWaited = hasOwnLimit || this.#options.quota?.isWaiting === true;
    const requester: Requester = { spared: 0 };
    let before = 0;
    // All attempts were refused: one refusal after other failures may be the first of a limit that is waited for.
    let isLimited = true;
    const note = (error: unknown): void => {
      isLimited &&= error instanceof RegistryError && error.status === 429 && error.transient;
    };
    for (let sent = 0, unsent = 0; ; ) {
      let last = 0;
      try {
        return await this.#retrying(what, signal, { attempts, requester }, async attempt => {
          last = before + attempt;
          try {
            return await task(last);
          } catch (error) {
            note(error);
            throw error;
          }
        });
      } catch (error) {
        signal?.throwIfAborted();
        if (sent === MAX_OUTAGES || unsent === MAX_UNSENT_OUTAGES || !(error instanceof ImgpackError)) throw error;
        if (isConnectFault(error.cause)) unsent += 1;
        else sent += 1;
        if (!(await hosts.survive(what, error, signal))) {
          throw hosts.giveUp(error, since, isLimited && !isLimitWaited);
        }
        before = last;
      }
    }
  }

  async #retrying<T>(
    what: string,
    signal: AbortSignal | undefined,
    { attempts, requester }: { readonly attempts: number | undefined; readonly requester: Requester },
    task: (attempt: number) => Promise<T>,
  ): Promise<T> {
    const { registry, onRetry } = this.#options;
    const { crowd } = this.#shared;
    let isLimited = false;
    return await retry(task, {
      signal,
      attempts,
      isLasting: error => this.#shared.outages.isGone(error) || this.#shared.outages.isLost(error),
      mayBeSpared: error => crowd.mayBeSpared(error, requester),
      isSpared: error => {
        const isSpared = crowd.isSpared(error, requester);
        if (isSpared) this.#makeRoom();
        return isSpared;
      },
      onRetry: event => {
        isLimited = isRateLimit(event.error);
        if (isLimited || isTimeout(event.error)) this.#pushBack();
        onRetry?.(event, what, registry);
      },
      sleep: async (ms, stop) => {
        const pause = sleepFor(ms, stop);
        if (isLimited) this.#shared.waits.limit(pause, ms, what);
        await pause;
      },
    });
  }

  /** The registry takes less than it gets. */
  #pushBack(): void {
    this.#options.onPushBack?.();
    this.#shared.requests?.pushedBack();
  }

  /** The registry takes fewer connections than it gets. */
  #makeRoom(): void {
    this.#pushBack();
    this.#options.transport?.dropIdle();
  }
}
