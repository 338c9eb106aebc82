import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { runBounded } from "../../../src/util/bounded.ts";
import { deferred } from "../../../src/util/promises.ts";
import { turns } from "../../support/memory-blobs.ts";

const never = async (signal: AbortSignal): Promise<never> =>
  await new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
  );

describe("runBounded()", () => {
  test("runs everything, in order, as many at once as allowed", async () => {
    let underWay = 0;
    let most = 0;
    const started: number[] = [];
    await runBounded([1, 2, 3, 4, 5], 2, async item => {
      started.push(item);
      underWay += 1;
      most = Math.max(most, underWay);
      await turns(item);
      underWay -= 1;
    });
    expect(started).toEqual([1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });

  test("has nothing to do for no items", async () => {
    await runBounded([], 3, async () => await Promise.reject(new Error("not asked")));
  });

  test("throws the first failure when all siblings have ended, and starts no other", async () => {
    const cleaned = deferred<void>();
    const started: number[] = [];
    let isCleaned = false;
    const running = runBounded([0, 1, 2, 3], 2, async (item, signal) => {
      started.push(item);
      if (item === 1) throw new Error("disk full");
      await never(signal).catch(async () => await cleaned.promise);
      isCleaned = true;
      throw new Error("stopped, as a consequence");
    });
    const failed = expect(running).rejects.toThrow("disk full");
    await turns(3);
    cleaned.resolve();
    await failed;
    expect(isCleaned).toBe(true);
    expect(started).toEqual([0, 1]);
  });

  test("throws the signal's reason when it aborts, and stops every task", async () => {
    const stop = new AbortController();
    let stopped = 0;
    const running = runBounded(
      [1, 2, 3],
      2,
      async (_item, signal) => await never(signal).finally(() => (stopped += 1)),
      stop.signal,
    );
    const failed = expect(running).rejects.toThrow("interrupted");
    await turns(2);
    stop.abort(new Error("interrupted"));
    await failed;
    expect(stopped).toBe(2);
  });

  test("starts nothing when the signal had aborted before", async () => {
    const started: number[] = [];
    const running = runBounded(
      [1],
      1,
      async item => void started.push(item),
      AbortSignal.abort(new Error("interrupted")),
    );
    await expect(running).rejects.toThrow("interrupted");
    expect(started).toEqual([]);
  });

  test("throws the reason even when tasks end well after the abort", async () => {
    const stop = new AbortController();
    const running = runBounded([1], 1, async () => stop.abort(new Error("interrupted")), stop.signal);
    await expect(running).rejects.toThrow("interrupted");
  });

  test("gives each task a signal of its own, so that listeners do not add up to a warning", async () => {
    const counts: number[] = [];
    const stop = new AbortController();
    await runBounded(
      [1, 2, 3, 4],
      4,
      async (_item, signal) => {
        signal.addEventListener("abort", () => undefined);
        await turns(2);
        counts.push(getEventListeners(signal, "abort").length);
      },
      stop.signal,
    );
    expect(counts).toEqual([1, 1, 1, 1]);
    expect(getEventListeners(stop.signal, "abort")).toHaveLength(0);
  });
});
