import type { WaitEvent } from "../../content/progress.ts";
import { abortable, deferred } from "../../util/promises.ts";

const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 30_000;

export interface OutageOptions {
  /** `host[:port]`, for events. */
  readonly host: string;
  readonly patienceMs: number;
  /** How many answers the host has given. */
  readonly answers: () => number;
  readonly probe: (signal: AbortSignal | undefined) => Promise<boolean>;
  readonly onWait: ((event: WaitEvent) => void) | undefined;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly now: () => number;
}

/** The host answered at once, or after a time in which it did not; or it was given up. */
type Outcome = "answers" | "back" | "given up";

/** One host that may not answer any more. All who need it wait for one of them, who asks. */
export class Outage {
  readonly #options: OutageOptions;
  /** Of the one who asks; undefined if he has left. */
  #asking: Promise<Outcome | undefined> | undefined;
  /** Time in which this machine sleeps does not count. */
  #waitedMs = 0;
  /** Answers when it was given up: none has come since then. */
  #givenUpAt: number | undefined;
  #wasWaitedFor = false;

  constructor(options: OutageOptions) {
    this.#options = options;
  }

  get isWaited(): boolean {
    return this.#asking !== undefined;
  }

  /** For how long the host was waited for in vain; undefined if it was not given up. */
  get givenUpAfterMs(): number | undefined {
    return this.isGivenUp && this.#wasWaitedFor ? this.#options.patienceMs : undefined;
  }

  /** Whether it did not answer, and has not answered since. */
  get isGivenUp(): boolean {
    return this.#givenUpAt === this.#options.answers();
  }

  /** Resolves when it is not waited for. */
  async pass(signal?: AbortSignal): Promise<void> {
    while (this.#asking !== undefined) await abortable(this.#asking, signal);
  }

  /**
   * @param isGone whether the host is known not to answer; else it is asked at once.
   * @param isPatient whether it is waited for; else it is given up at once.
   * @returns whether it answers after a time in which it did not.
   */
  async survive(
    what: string,
    isGone: boolean,
    signal: AbortSignal | undefined,
    isPatient: boolean = true,
  ): Promise<boolean> {
    while (this.#asking !== undefined) {
      const outcome = await abortable(this.#asking, signal);
      // One who asked at once may find it back for another one, who could not reach it.
      if (outcome !== undefined) return outcome === "back" || (outcome === "answers" && isGone);
    }
    if (this.isGivenUp) return false;
    const asking = deferred<Outcome | undefined>();
    this.#asking = asking.promise;
    let outcome: Outcome | undefined;
    try {
      if (!isGone && (await this.#options.probe(signal))) outcome = "answers";
      else outcome = isPatient ? await this.#wait(what, signal) : this.#giveUp();
      this.#wasWaitedFor = isPatient;
      // One who is interrupted leaves the rest of the patience to the next.
      this.#waitedMs = 0;
      return outcome === "back";
    } finally {
      this.#asking = undefined;
      asking.resolve(outcome);
    }
  }

  async #wait(what: string, signal: AbortSignal | undefined): Promise<Outcome> {
    const { host, patienceMs, probe, onWait, sleep, now } = this.#options;
    const state = () => ({ registry: host, reason: "outage", what, waitedMs: Math.round(this.#waitedMs) }) as const;
    try {
      for (let waitMs = FIRST_WAIT_MS; this.#waitedMs < patienceMs; waitMs = Math.min(MAX_WAIT_MS, 2 * waitMs)) {
        const ms = Math.min(waitMs, patienceMs - this.#waitedMs);
        onWait?.({ kind: "waiting", ...state(), waitMs: ms, patienceMs });
        await sleep(ms, signal);
        const asked = now();
        if (await probe(signal)) return "back";
        this.#waitedMs += ms + Math.min(MAX_WAIT_MS, now() - asked);
      }
      return this.#giveUp();
    } finally {
      onWait?.({ kind: "resumed", ...state() });
    }
  }

  #giveUp(): Outcome {
    this.#givenUpAt = this.#options.answers();
    return "given up";
  }
}
