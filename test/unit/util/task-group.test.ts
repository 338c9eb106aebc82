import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { deferred } from "../../../src/util/promises.ts";
import { runBounded, TaskGroup } from "../../../src/util/task-group.ts";
import { turns } from "../../support/memory-blobs.ts";

/** Ends when its signal aborts. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((_resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });
}

describe("TaskGroup", () => {
  test("makes a job wait until there is room", async () => {
    await using jobs = new TaskGroup(2, undefined);
    const gates = [deferred<void>(), deferred<void>()];
    for (const gate of gates) {
      await jobs.room();
      void jobs.start(async () => await gate.promise);
    }
    let hasRoom = false;
    const waiting = jobs.room().then(() => {
      hasRoom = true;
    });
    await new Promise(resolve => setImmediate(resolve));
    expect(hasRoom).toBe(false);
    gates[1]?.resolve();
    await waiting;
    gates[0]?.resolve();
    await jobs.ended();
  });

  test("stops all jobs after the first failure, and throws that one everywhere", async () => {
    await using jobs = new TaskGroup(3, undefined);
    const stopped: unknown[] = [];
    void jobs.start(async signal => await untilAborted(signal).catch((error: unknown) => void stopped.push(error)));
    const failure = new Error("first");
    await jobs.start(async () => {
      throw failure;
    });
    await jobs.start(async () => {
      throw new Error("never runs");
    });
    await expect(jobs.room()).rejects.toBe(failure);
    await expect(jobs.ended()).rejects.toBe(failure);
    expect(() => jobs.check()).toThrow(failure);
    expect(stopped).toEqual([failure]);
  });

  test("ends a wait for room with the failure that made room", async () => {
    await using jobs = new TaskGroup(1, undefined);
    const gate = deferred<void>();
    void jobs.start(async () => await gate.promise);
    const waiting = jobs.room();
    gate.reject(new Error("broken"));
    await expect(waiting).rejects.toThrow("broken");
  });

  test.each([false, true])("stops when its signal aborts, before it began: %s", async isBefore => {
    const stop = new AbortController();
    const reason = new Error("enough");
    if (isBefore) stop.abort(reason);
    await using jobs = new TaskGroup(2, stop.signal);
    const running = jobs.start(untilAborted);
    stop.abort(reason);
    await running;
    await expect(jobs.ended()).rejects.toBe(reason);
  });

  test("is disposed of only when all jobs have ended", async () => {
    const gate = deferred<void>();
    const jobs = new TaskGroup(2, undefined);
    let isEnded = false;
    void jobs.start(async () => {
      await gate.promise;
      isEnded = true;
    });
    const disposing = jobs[Symbol.asyncDispose]();
    gate.resolve();
    await disposing;
    expect(isEnded).toBe(true);
  });

  test("leaves no listener on its signal, and only one while a thousand jobs run", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    const { signal } = new AbortController();
    {
      await using jobs = new TaskGroup(1000, signal);
      for (let count = 0; count < 1000; count += 1) void jobs.start(async () => undefined);
      await jobs.ended();
    }
    await new Promise(resolve => setImmediate(resolve));
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});

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

  test("leaves items alone that come after a failure while others are under way", async () => {
    const gate = deferred<void>();
    const started: number[] = [];
    const running = runBounded([0, 1, 2, 3, 4, 5], 2, async item => {
      started.push(item);
      if (item === 0) await gate.promise;
      if (item === 2) throw new Error("third");
    });
    const failed = expect(running).rejects.toThrow("third");
    await turns(5);
    gate.resolve();
    await failed;
    expect(started).toEqual([0, 1, 2]);
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
      await untilAborted(signal).catch(async () => await cleaned.promise);
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
      async (_item, signal) => await untilAborted(signal).finally(() => (stopped += 1)),
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
