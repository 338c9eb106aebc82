import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { deadlineSignal, startDeadline } from "../../../../src/util/time/deadline.ts";

const turn = async (): Promise<void> => await new Promise(resolve => setImmediate(resolve));

describe("startDeadline()", () => {
  let nowMs = 0;
  const now = (): number => nowMs;
  const pass = async (ms: number, stoodStillMs = 0): Promise<void> => {
    nowMs += ms + stoodStillMs;
    vi.advanceTimersByTime(ms);
    await turn();
  };
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
  afterEach(() => void vi.useRealTimers());

  test("counts when it has passed, and what came in the turn after it ends it", async () => {
    const onLate = vi.fn();
    startDeadline(1000, onLate, now);
    await pass(999);
    expect(onLate).not.toHaveBeenCalled();
    await pass(1);
    expect(onLate).toHaveBeenCalledTimes(1);
    const stop = startDeadline(1000, onLate, now);
    nowMs += 1000;
    vi.advanceTimersByTime(1000);
    stop();
    await turn();
    expect(onLate).toHaveBeenCalledTimes(1);
  });

  test("starts again after a time in which the process stood still, a few times", async () => {
    const onLate = vi.fn();
    startDeadline(1000, onLate, now);
    for (let pause = 0; pause < 3; pause += 1) await pass(1000, 3_600_000);
    expect(onLate).not.toHaveBeenCalled();
    await pass(1000, 3_600_000);
    expect(onLate).toHaveBeenCalledTimes(1);
  });

  test("of a signal aborts it, unless what it limits has ended", async () => {
    const late = deadlineSignal(1000, undefined, now);
    const ended = deadlineSignal(1000, undefined, now);
    await pass(500);
    ended[Symbol.dispose]();
    await pass(500);
    expect(late.signal.reason).toMatchObject({ name: "TimeoutError" });
    expect(ended.signal.aborted).toBe(false);
    const stop = new AbortController();
    const either = deadlineSignal(1000, stop.signal, now);
    stop.abort("stopped");
    expect(either.signal.reason).toBe("stopped");
    either[Symbol.dispose]();
  });
});
