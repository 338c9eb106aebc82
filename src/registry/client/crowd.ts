import { type ImgpackError, NetworkError } from "../../errors.ts";
import { isBroken, isConnectFault } from "../http/network-error.ts";
import { originOf } from "../origin/origin.ts";
import type { LostHosts } from "./lost-hosts.ts";

/** What took longer was under way when it broke: the host had taken the connection. */
const EARLY_MS = 5000;
/** Two requests that break within this time, while others are answered, break for one reason. */
const SAME_REASON_MS = 10_000;
/** After this time without one that breaks, the host is no longer known to take few connections. */
const CROWDED_MS = 60_000;
/** By then, the requests at once have become few: a request that still breaks does so for a reason of its own. */
const MAX_SPARED = 10;

/** One request with its retries. */
export interface Requester {
  /** How many of its attempts did not count because others were answered meanwhile. */
  spared: number;
}

interface Host {
  /** Numbers of the requests that are under way. */
  readonly underWay: Set<number>;
  last: { readonly requester: Requester; readonly at: number } | undefined;
  /** Of another one than the last. */
  before: { readonly requester: Requester; readonly at: number } | undefined;
  crowdedUntil: number;
}

interface Break {
  readonly url: URL;
  readonly host: Host;
  readonly number: number;
  /** As `LostHosts.now` when it broke: a host that restarts has answered others just before. */
  readonly since: number;
}

/**
 * The requests to the hosts of one registry, and which of them break because they are too many: some hosts, and firewalls
 * before them, take a few connections at once, and reset or refuse the others. Such an attempt does not count as long as the
 * host serves other requests. One request that breaks alone is another matter.
 */
export class Crowd {
  readonly #lost: LostHosts;
  readonly #now: () => number;
  /** By origin. */
  readonly #hosts = new Map<string, Host>();
  /** By what `send` has thrown. */
  readonly #breaks = new WeakMap<object, Break>();
  #sent = 0;

  /** @param now milliseconds; only differences count. */
  constructor(lost: LostHosts, now: () => number = () => performance.now()) {
    this.#lost = lost;
    this.#now = now;
  }

  /**
   * Sends a request. It is under way until `send` has ended.
   *
   * @throws what `send` throws; at once for a host that was given up.
   * @param send calls `noteAnswer` when the host has taken the connection: what breaks later is another matter.
   */
  async sending<T>(url: URL, send: (noteAnswer: () => void) => Promise<T>): Promise<T> {
    this.#lost.check(url);
    const host = this.#hostOf(url);
    this.#sent += 1;
    const number = this.#sent;
    const at = this.#now();
    let isAnswered = false;
    host.underWay.add(number);
    try {
      return await send(() => {
        isAnswered = true;
      });
    } catch (error) {
      const isEarly = !isAnswered && this.#now() - at < EARLY_MS;
      if (isEarly && error instanceof Error) this.#breaks.set(error, { url, host, number, since: this.#lost.now });
      throw error;
    } finally {
      host.underWay.delete(number);
    }
  }

  /** Whether the attempt may not count: that shows after its wait. */
  mayBeSpared(error: ImgpackError, requester: Requester): boolean {
    const host = this.#breakOf(error)?.host;
    if (host === undefined) return false;
    const at = this.#now();
    if (host.last?.requester !== requester) host.before = host.last;
    host.last = { requester, at };
    if (at < host.crowdedUntil) return true;
    // A host that refuses connections is away, unless it is known to take few.
    return !isConnectFault(error) && host.before !== undefined && at - host.before.at < SAME_REASON_MS;
  }

  /** Whether the host has served others since the attempt broke, so that the attempt does not count. */
  isSpared(error: ImgpackError, requester: Requester): boolean {
    const found = this.#breakOf(error);
    if (found === undefined) return false;
    const { url, host, number, since } = found;
    // One that was sent before, and is still under way after the wait, has one of the connections.
    const isServing = [...host.underWay].some(other => other < number);
    const hasAnswered = this.#lost.hasAnsweredSince(url, since) && requester.spared < MAX_SPARED;
    if (!isServing && !hasAnswered) return false;
    if (!isServing) requester.spared += 1;
    host.crowdedUntil = this.#now() + CROWDED_MS;
    return true;
  }

  #breakOf(error: ImgpackError): Break | undefined {
    if (!(error instanceof NetworkError) || !error.transient || !isBroken(error)) return undefined;
    return this.#breaks.get(error) ?? (error.cause instanceof Error ? this.#breaks.get(error.cause) : undefined);
  }

  #hostOf(url: URL): Host {
    const origin = originOf(url);
    const known = this.#hosts.get(origin);
    if (known !== undefined) return known;
    const host = { underWay: new Set<number>(), last: undefined, before: undefined, crowdedUntil: -Infinity };
    this.#hosts.set(origin, host);
    return host;
  }
}
