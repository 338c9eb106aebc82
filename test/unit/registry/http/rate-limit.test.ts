import { describe, expect, test } from "vitest";
import { RateLimit } from "../../../../src/registry/http/rate-limit.ts";

describe("RateLimit", () => {
  function clocked(bytesPerSecond: number): { limit: RateLimit; pass: (ms: number) => void; waits: number[] } {
    let now = 0;
    const waits: number[] = [];
    const limit = new RateLimit(bytesPerSecond, { now: () => now, sleep: async ms => void waits.push(ms) });
    return { limit, waits, pass: ms => (now += ms) };
  }

  test("RateLimit lets a burst through and makes what follows wait for its time", async () => {
    const { limit, waits } = clocked(100_000);
    expect(limit.take(65_536)).toBeUndefined();
    await limit.take(50_000);
    await limit.take(50_000);
    expect(waits).toEqual([500, 1000]);
  });

  test("RateLimit pays for what has moved as time goes by, and saves up no more than a burst", async () => {
    const { limit, waits, pass } = clocked(100_000);
    await limit.take(65_536 + 100_000);
    pass(1000);
    expect(limit.take(0)).toBeUndefined();
    pass(3_600_000);
    expect(limit.take(65_536)).toBeUndefined();
    await limit.take(100_000);
    expect(waits).toEqual([1000, 1000]);
  });

  test("RateLimit ends its wait with the signal's reason", async () => {
    const stop = new AbortController();
    const limit = new RateLimit(1);
    const wait = limit.take(1_000_000, stop.signal);
    stop.abort(new Error("enough"));
    await expect(wait).rejects.toThrow("enough");
  });
});
