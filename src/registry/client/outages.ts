import type { WaitEvent } from "../../content/progress.ts";
import { type ImgpackError, NetworkError, RegistryError } from "../../errors.ts";
import { errorCode } from "../../util/error-code.ts";
import { formatDuration } from "../../util/format.ts";
import { blame, blamedUrl } from "../http/blamed-host.ts";
import { isConnectFault, isTimeout, isUnavailable } from "../http/network-error.ts";
import { sleepFor } from "../http/retry.ts";
import { originOf } from "../origin/origin.ts";
import { LostHosts } from "./lost-hosts.ts";
import { Outage } from "./outage.ts";

export interface OutagesOptions {
  /** Any URL of the registry. */
  readonly base: URL;
  /** Milliseconds in total for which a host that has answered before is waited for; 0 for not at all. */
  readonly patienceMs: number;
  /** How many answers the host of this URL has given in the run. */
  readonly answers: (url: URL) => number;
  /** Asks a host for anything. @returns whether it answers. */
  readonly probe: (url: URL, signal: AbortSignal | undefined) => Promise<boolean>;
  readonly onWait?: ((event: WaitEvent) => void) | undefined;
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly now?: () => number;
}

/**
 * The hosts that requests of one registry reach, and which of them do not answer any more. A registry that restarts must not
 * end a run of hours: all requests to it wait while one asks again and again. A host that has never answered is not waited
 * for: it is more likely mistyped or switched off.
 */
export class Outages {
  /** Those that were given up. */
  readonly lost: LostHosts = new LostHosts();
  readonly #options: OutagesOptions;
  /** By origin. */
  readonly #outages = new Map<string, Outage>();

  constructor(options: OutagesOptions) {
    this.#options = options;
  }

  hasAnswered(url: URL): boolean {
    return this.#options.answers(url) > 0;
  }

  /** Whether no connection can be made to a host that has answered before: to try again at once is useless. */
  isGone(error: ImgpackError): boolean {
    if (this.#options.patienceMs === 0 || !isConnectFault(error)) return false;
    return this.hasAnswered(this.#hostOf(error));
  }

  /**
   * Waits until the host answers again.
   *
   * @returns false for a failure that is not the host's, and when it was waited for long enough.
   */
  async survive(what: string, error: ImgpackError, signal: AbortSignal | undefined): Promise<boolean> {
    const url = this.#hostOf(error);
    if (!isHostFault(error) || this.lost.isLost(url)) return false;
    const isNew = !this.hasAnswered(url);
    const isGone = this.isGone(error) || (isNew && isTimeout(error));
    return await this.#outageOf(url).survive(what, isGone, signal, this.#options.patienceMs > 0 && !isNew);
  }

  /** Whether the registry itself is waited for. */
  get isWaited(): boolean {
    return this.#outages.get(originOf(this.#options.base))?.isWaited === true;
  }

  /** Resolves when the registry itself is not waited for. */
  async pass(signal?: AbortSignal): Promise<void> {
    await this.#outages.get(originOf(this.#options.base))?.pass(signal);
  }

  /** Whether the failure is of a host that was given up: no attempt helps. */
  isLost(error: ImgpackError): boolean {
    return this.lost.isLost(this.#hostOf(error));
  }

  /**
   * Gives up the host of a request that has used up its attempts, if the failure is the host's.
   *
   * @param since the moment of its first attempt: a host that has taken another request since then limits some of them only.
   * @param isLimited whether all attempts were refused because the registry limits requests, and the caller waits no longer.
   * @returns the error, with what is known of the host.
   */
  giveUp(error: ImgpackError, since: number, isLimited: boolean): ImgpackError {
    const url = this.#hostOf(error);
    if (this.lost.isLost(url)) return error;
    const explained = this.#explained(error);
    const isSilent = isHostFault(error) && this.#outages.get(originOf(url))?.isGivenUp === true;
    if (isSilent) this.lost.giveUp(url, explained, false);
    else if (isLimited && !this.lost.hasAnsweredSince(url, since)) this.lost.giveUp(url, explained, true);
    return explained;
  }

  /** The error, with what is known of its host: that it has answered before, and was waited for. */
  #explained(error: ImgpackError): ImgpackError {
    const url = this.#hostOf(error);
    const waitedMs = this.#outages.get(originOf(url))?.givenUpAfterMs;
    if (!(error instanceof NetworkError) || waitedMs === undefined) return error;
    const { message, transient, cause } = error;
    const waited = formatDuration(waitedMs / 1000);
    return blame(
      new NetworkError(`${message}; it answered before, and was waited for for ${waited}`, {
        cause,
        transient,
        hint: `Run the same command again when ${url.host} answers. --outage says for how many seconds it is waited for.`,
      }),
      url,
    );
  }

  #hostOf(error: ImgpackError): URL {
    return blamedUrl(error) ?? this.#options.base;
  }

  #outageOf(url: URL): Outage {
    const origin = originOf(url);
    const { base, patienceMs, answers, probe, onWait, sleep = sleepFor, now = () => performance.now() } = this.#options;
    const known = this.#outages.get(origin);
    if (known !== undefined) return known;
    const asked = new URL(origin === originOf(base) ? "/v2/" : "/", url);
    const outage = new Outage({
      host: url.host,
      patienceMs,
      answers: () => answers(url),
      probe: async stop => await probe(asked, stop),
      onWait,
      sleep,
      now,
    });
    this.#outages.set(origin, outage);
    return outage;
  }
}

function isHostFault(error: ImgpackError): boolean {
  if (error instanceof RegistryError) return isUnavailable(error.status);
  return error instanceof NetworkError && error.transient && errorCode(error.cause) !== "ETOOSLOW";
}
