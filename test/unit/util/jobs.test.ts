import { describe, expect, test } from "vitest";
import { Jobs } from "../../../src/util/jobs.ts";
import { deferred } from "../../../src/util/promises.ts";

/** Ends when its signal aborts. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((_resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop);
  });
}

describe("Jobs", () => {
  test("makes a job wait until there is room", async () => {
    await using jobs = new Jobs(2, undefined);
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
    await using jobs = new Jobs(3, undefined);
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
    await using jobs = new Jobs(1, undefined);
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
    await using jobs = new Jobs(2, stop.signal);
    const running = jobs.start(untilAborted);
    stop.abort(reason);
    await running;
    await expect(jobs.ended()).rejects.toBe(reason);
  });

  test("is disposed of only when all jobs have ended", async () => {
    const gate = deferred<void>();
    const jobs = new Jobs(2, undefined);
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
      await using jobs = new Jobs(1000, signal);
      for (let count = 0; count < 1000; count += 1) void jobs.start(async () => undefined);
      await jobs.ended();
    }
    await new Promise(resolve => setImmediate(resolve));
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });
});
