import type { ProgressEvent } from "../../index.ts";
import type { WaitState } from "./progress-state.ts";

/** A wait whose end was not reported, since its request was aborted, is not shown for longer. */
const OVERDUE_MS = 2000;

interface Known {
  status?: number | undefined;
  retries: number;
  retriedMs: number;
  retryUntilMs: number;
  retried: string;
  limit?:
    | {
        readonly reason: "limit" | "outage";
        readonly sinceMs: number;
        readonly untilMs: number;
        readonly what: string;
        readonly patienceMs?: number | undefined;
      }
    | undefined;
  /** When each request that has no answer was sent. */
  readonly asked: Map<string, number>;
}

/** What requests to each registry wait for. */
export class WaitTally {
  readonly #registries = new Map<string, Known>();

  count(event: ProgressEvent, nowMs: number): void {
    if (event.kind === "retry") {
      const known = this.#of(event.registry);
      if (nowMs > known.retryUntilMs + OVERDUE_MS) Object.assign(known, { retries: 0, retriedMs: nowMs });
      known.retries += 1;
      known.status = event.status;
      known.retried = event.what;
      known.retryUntilMs = Math.max(known.retryUntilMs, nowMs + event.waitMs);
    } else if (event.kind === "waiting") {
      const known = this.#of(event.registry);
      const { what, waitedMs, waitMs, patienceMs } = event;
      if (event.reason === "answer") known.asked.set(what, nowMs - waitedMs);
      else
        known.limit = {
          reason: event.reason,
          sinceMs: nowMs - waitedMs,
          untilMs: nowMs + (waitMs ?? 0),
          what,
          patienceMs,
        };
    } else if (event.kind === "resumed") {
      const known = this.#of(event.registry);
      if (event.reason === "answer") known.asked.delete(event.what);
      else known.limit = undefined;
    }
  }

  /** Whether all requests to a registry wait. */
  isHeld(nowMs: number): boolean {
    return [...this.#registries.values()].some(
      ({ limit }) => limit !== undefined && nowMs < limit.untilMs + OVERDUE_MS,
    );
  }

  /** One for each registry that is waited for. */
  states(nowMs: number): readonly WaitState[] {
    return [...this.#registries].flatMap(([registry, known]) => {
      const state = stateOf(known, nowMs);
      return state === undefined ? [] : [{ registry, ...state }];
    });
  }

  #of(registry: string): Known {
    const known = this.#registries.get(registry);
    if (known !== undefined) return known;
    const fresh: Known = { retries: 0, retriedMs: 0, retryUntilMs: 0, retried: "", asked: new Map() };
    this.#registries.set(registry, fresh);
    return fresh;
  }
}

function stateOf(known: Known, nowMs: number): Omit<WaitState, "registry"> | undefined {
  const { status, retries, retriedMs, retryUntilMs, retried, limit, asked } = known;
  if (limit !== undefined && nowMs < limit.untilMs + OVERDUE_MS) {
    const { reason, what, sinceMs, untilMs, patienceMs } = limit;
    const times = { patienceMs, waitedMs: nowMs - sinceMs, nextMs: untilMs - nowMs };
    // An outage takes no retries.
    return { reason, ...(reason === "limit" ? { status, requests: retries } : { requests: 1 }), ...times, what };
  }
  if (nowMs < retryUntilMs) {
    const times = { waitedMs: nowMs - retriedMs, nextMs: retryUntilMs - nowMs };
    return { reason: "retry", status, requests: retries, ...times, what: retried };
  }
  const [what] = asked.keys();
  if (what === undefined) return undefined;
  const sinceMs = [...asked.values()].reduce((oldest, one) => Math.min(oldest, one));
  return { reason: "answer", requests: asked.size, waitedMs: nowMs - sinceMs, what };
}
