import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MinRate } from "../../../../src/registry/http/min-rate.ts";
import { lastChance } from "../../../../src/util/time/last-chance.ts";

describe("lastChance(): a process that stood still", () => {
  test("a deadline does not count when something comes in the turn after it", async () => {
    const onLate = vi.fn();
    let bytes = 10;
    lastChance(() => bytes, onLate);
    bytes += 1;
    await new Promise(resolve => setImmediate(resolve));
    expect(onLate).not.toHaveBeenCalled();
  });

  test("it counts when nothing comes", async () => {
    const onLate = vi.fn();
    lastChance(() => 10, onLate);
    expect(onLate).not.toHaveBeenCalled();
    await new Promise(resolve => setImmediate(resolve));
    expect(onLate).toHaveBeenCalledTimes(1);
  });
});

describe("MinRate over a time in which the process stood still", () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => vi.useRealTimers());

  test("such a time is no slow transfer, the next window is", () => {
    let now = 0;
    const onSlow = vi.fn();
    const pace = new MinRate({ idleMs: 60_000, now: () => now }, onSlow);
    pace.start();
    now += 10 * 60_000;
    vi.advanceTimersByTime(60_000);
    expect(onSlow).not.toHaveBeenCalled();
    now += 60_000;
    vi.advanceTimersByTime(60_000);
    expect(onSlow).toHaveBeenCalledTimes(1);
  });

  test("a check that comes a little late is one", () => {
    let now = 0;
    const onSlow = vi.fn();
    new MinRate({ idleMs: 60_000, now: () => now }, onSlow).start();
    now += 61_000;
    vi.advanceTimersByTime(60_000);
    expect(onSlow).toHaveBeenCalledTimes(1);
  });
});
