import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { NetworkError } from "../../../../src/errors.ts";
import { Crowd } from "../../../../src/registry/client/crowd.ts";
import { Outages } from "../../../../src/registry/client/outages.ts";
import { Retries } from "../../../../src/registry/client/retries.ts";
import { Waits } from "../../../../src/registry/client/waits.ts";
import { Pace } from "../../../../src/util/pace/pace.ts";
import { deferred } from "../../../../src/util/promises.ts";

const base = new URL("https://registry.lan");
const registry = "registry.lan";
const ATTEMPTS = 3;

type Answer = "taken" | "reset" | "refused" | Promise<void>;

interface Host {
  readonly requests: Pace;
  /** How often fewer transfers were asked for. */
  readonly pushedBack: () => number;
  readonly attempts: () => number;
  readonly waited: readonly number[];
  /** Sends a request; each attempt is answered as told. */
  readonly request: (next: () => Answer) => Promise<void>;
  readonly pass: (ms: number) => void;
}

function broken(kind: "reset" | "refused"): NetworkError {
  const fault = Object.assign(
    new Error(kind),
    kind === "reset" ? { code: "ECONNRESET" } : { code: "ECONNREFUSED", syscall: "connect" },
  );
  return new NetworkError(`connection ${kind}`, { transient: true, cause: fault });
}

function host(): Host {
  let now = 0;
  let pushedBack = 0;
  let attempts = 0;
  const waited: number[] = [];
  const outages = new Outages({
    base,
    patienceMs: 0,
    answers: () => 1,
    probe: async () => true,
    sleep: async () => undefined,
    now: () => now,
  });
  const crowd = new Crowd(outages.lost, () => now);
  const requests = new Pace({ max: 32, start: 32, now: () => now });
  const retries = new Retries(
    {
      registry,
      attempts: ATTEMPTS,
      onPushBack: () => {
        pushedBack += 1;
      },
      onRetry: ({ waitMs }) => {
        waited.push(waitMs);
        // Between two looks of the search for the right number of requests.
        now += 1100;
      },
    },
    { outages, crowd, waits: new Waits({ registry }), requests },
  );
  return {
    requests,
    waited,
    pushedBack: () => pushedBack,
    attempts: () => attempts,
    pass: ms => {
      now += ms;
    },
    request: async next =>
      await retries.run("manifest a", undefined, async () => {
        await crowd.sending(base, async noteAnswer => {
          attempts += 1;
          const answer = next();
          if (answer === "reset" || answer === "refused") throw broken(answer);
          noteAnswer();
          if (answer !== "taken") await answer;
        });
        outages.lost.noteAnswer(base, 200);
      }),
  };
}

/** Answers with these, one after the other, and takes all later ones. */
const inTurn = (...answers: readonly Answer[]): (() => Answer) => {
  const left = [...answers];
  return () => left.shift() ?? "taken";
};

describe("a host that takes few connections at once", () => {
  test("one request that is always reset while others are taken fails after its retries, and slows nothing", async () => {
    const { request, requests, pushedBack, attempts } = host();
    const always = request(() => "reset");
    for (let other = 0; other < 20; other += 1) await request(() => "taken");
    await expect(always).rejects.toThrow("connection reset");
    expect([attempts() - 20, pushedBack(), requests.limit]).toEqual([ATTEMPTS, 0, 32]);
  });

  test("attempts of several that are reset while others are taken do not count, and fewer are sent at once", async () => {
    const { request, requests, pushedBack } = host();
    const taken = deferred<void>();
    const long = request(() => taken.promise);
    const others = Array.from({ length: 8 }, async () => await request(inTurn(...Array<Answer>(6).fill("reset"))));
    await Promise.all(others);
    expect(pushedBack()).toBeGreaterThan(5);
    expect(requests.limit).toBe(1);
    taken.resolve();
    await long;
  });

  test("they wait longer from time to time, and never longer than after four attempts", async () => {
    const { request, waited } = host();
    const taken = deferred<void>();
    const long = request(() => taken.promise);
    await request(inTurn("reset"));
    await request(inTurn(...Array<Answer>(9).fill("reset")));
    expect(Math.max(...waited)).toBeLessThanOrEqual(8000 * 1.2);
    expect(waited.slice(-5).every(ms => ms >= 8000 * 0.8)).toBe(true);
    taken.resolve();
    await long;
  });

  test("all of them fail after their retries when none is taken any more", async () => {
    const { request, attempts } = host();
    await request(() => "taken");
    const failing = Array.from({ length: 4 }, async () => await request(() => "reset"));
    for (const { status } of await Promise.allSettled(failing)) expect(status).toBe("rejected");
    expect(attempts()).toBe(1 + 4 * ATTEMPTS);
  });

  test("two that are always reset fail in the end while others are taken all the time", async () => {
    const { request, attempts } = host();
    let isOver = false;
    const others = (async () => {
      while (!isOver) {
        await request(() => "taken");
        await setImmediate();
      }
    })();
    const poisoned = Array.from({ length: 2 }, async () => await request(() => "reset"));
    for (const { status } of await Promise.allSettled(poisoned)) expect(status).toBe("rejected");
    isOver = true;
    await others;
    expect(attempts()).toBeGreaterThan(2 * ATTEMPTS);
  });

  test("a refused connection counts as a reset once the host is known to take few, and as an outage else", async () => {
    const { request, pass } = host();
    const taken = deferred<void>();
    const long = request(() => taken.promise);
    await expect(request(() => "refused")).rejects.toThrow("connection refused");
    await request(inTurn("reset"));
    await request(inTurn("reset", "refused", "refused", "refused", "refused"));
    pass(120_000);
    await expect(request(() => "refused")).rejects.toThrow("connection refused");
    taken.resolve();
    await long;
  });
});
