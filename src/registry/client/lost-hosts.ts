import type { ImgpackError } from "../../errors.ts";
import { isUnavailable } from "../http/network-error.ts";
import { originOf } from "../origin/origin.ts";

interface Lost {
  readonly error: ImgpackError;
  /** Answers of all hosts before it was given up. */
  readonly at: number;
  /** Whether one more request may find out that it is back. */
  mayTry: boolean;
}

/**
 * The hosts that were given up in a call. Requests to them fail at once: else each of a thousand images would use up all of
 * its retries. An answer to a request that was under way takes the host back.
 */
export class LostHosts {
  /** By origin. */
  readonly #lost = new Map<string, Lost>();
  /** The number of the last answer, by origin. */
  readonly #last = new Map<string, number>();
  #answers = 0;

  /** A moment in the call, for `hasAnsweredSince`. */
  get now(): number {
    return this.#answers;
  }

  /** Takes an answer. One that only says that the host takes no requests does not count. */
  noteAnswer(url: URL, status: number): void {
    if (status === 429 || isUnavailable(status)) return;
    this.#answers += 1;
    this.#last.set(originOf(url), this.#answers);
  }

  hasAnsweredSince(url: URL, moment: number): boolean {
    return (this.#last.get(originOf(url)) ?? 0) > moment;
  }

  /** @param mayTry lets one more request through. */
  giveUp(url: URL, error: ImgpackError, mayTry: boolean): void {
    if (!this.isLost(url)) this.#lost.set(originOf(url), { error, at: this.#answers, mayTry });
  }

  isLost(url: URL): boolean {
    const lost = this.#lost.get(originOf(url));
    return lost !== undefined && !this.hasAnsweredSince(url, lost.at);
  }

  /** @throws the error for which the host was given up. */
  check(url: URL): void {
    const lost = this.#lost.get(originOf(url));
    if (lost === undefined || this.hasAnsweredSince(url, lost.at)) return;
    if (!lost.mayTry) throw lost.error;
    lost.mayTry = false;
  }
}
