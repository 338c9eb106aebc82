import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { WaitEvent } from "../../../../src/content/progress.ts";
import { Waits } from "../../../../src/registry/client/waits.ts";
import { deferred } from "../../../../src/util/promises.ts";

function start(onEvent: (event: WaitEvent) => void = () => undefined): {
  readonly waits: Waits;
  readonly events: WaitEvent[];
} {
  const events: WaitEvent[] = [];
  const onWait = (event: WaitEvent): void => {
    events.push(event);
    onEvent(event);
  };
  return { waits: new Waits({ registry: "registry.lan:5000", onWait, now: () => Date.now() }), events };
}

const COMMON = { registry: "registry.lan:5000", what: "manifest 1" };

describe("waits for a registry", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("a storm of refused requests is one event, until one of them has to wait longer", async () => {
    const { waits, events } = start();
    const pauses = [1000, 900, 30_000].map(ms => ({ ms, pause: deferred<void>() }));
    for (const { ms, pause } of pauses) waits.limit(pause.promise, ms, ms === 1000 ? "manifest 1" : "blob x");
    const passing = waits.pass();
    await vi.advanceTimersByTimeAsync(30_000);
    for (const { pause } of pauses) pause.resolve();
    await passing;
    await waits.pass();
    expect(events).toEqual([
      { kind: "waiting", reason: "limit", ...COMMON, waitedMs: 0, waitMs: 1000 },
      { kind: "waiting", reason: "limit", ...COMMON, waitedMs: 0, waitMs: 30_000 },
      { kind: "resumed", reason: "limit", ...COMMON, waitedMs: 30_000 },
    ]);
  });

  test("an answer that takes more than five seconds is waited for, a quick one is not", async () => {
    const { waits, events } = start();
    const answers = [deferred<string>(), deferred<string>()];
    const asking = answers.map(async answer => await waits.answer("manifest 1", async () => await answer.promise));
    await vi.advanceTimersByTimeAsync(4999);
    answers[0]?.resolve("quick");
    await vi.advanceTimersByTimeAsync(2001);
    answers[1]?.resolve("late");
    expect(await Promise.all(asking)).toEqual(["quick", "late"]);
    expect(events).toEqual([
      { kind: "waiting", reason: "answer", ...COMMON, waitedMs: 5000 },
      { kind: "resumed", reason: "answer", ...COMMON, waitedMs: 7000 },
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("what the listener throws rejects the request that waits", async () => {
    const { waits } = start(() => {
      throw new Error("listener");
    });
    const asking = waits.answer("manifest 1", async () => await deferred<string>().promise);
    const outcome = expect(asking).rejects.toThrow("listener");
    await vi.advanceTimersByTimeAsync(5000);
    await outcome;
  });
});
