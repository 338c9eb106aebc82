import { describe, expect, test } from "vitest";
import { NetworkError } from "../../../../src/errors.ts";
import { type RetryEvent, type RetryOptions, retry } from "../../../../src/registry/http/retry.ts";

function failing(times: number, make: () => Error): { task: () => Promise<string>; calls: () => number } {
  let calls = 0;
  return {
    task: async () => {
      calls += 1;
      if (calls <= times) throw make();
      return "done";
    },
    calls: () => calls,
  };
}

function recorded(options: RetryOptions = {}): { options: RetryOptions; waits: number[]; events: RetryEvent[] } {
  const waits: number[] = [];
  const events: RetryEvent[] = [];
  return {
    waits,
    events,
    options: {
      random: () => 0.5,
      sleep: async ms => void waits.push(ms),
      onRetry: event => void events.push(event),
      ...options,
    },
  };
}

const transient = (): NetworkError => new NetworkError("reset", { transient: true });

describe("retry()", () => {
  test("retry() returns at once what succeeds", async () => {
    const { options, waits } = recorded();
    await expect(retry(async attempt => attempt, options)).resolves.toBe(1);
    expect(waits).toEqual([]);
  });

  test("retry() doubles its waits and tells each of them", async () => {
    const { task } = failing(4, transient);
    const { options, waits, events } = recorded();
    await expect(retry(task, options)).resolves.toBe("done");
    expect(waits).toEqual([1000, 2000, 4000, 8000]);
    expect(events.map(({ attempt, waitMs }) => [attempt, waitMs])).toEqual([
      [1, 1000],
      [2, 2000],
      [3, 4000],
      [4, 8000],
    ]);
  });

  test("retry() throws the last error itself when the tries are used up", async () => {
    const errors: Error[] = [];
    const { task } = failing(99, () => {
      const error = transient();
      errors.push(error);
      return error;
    });
    const thrown: unknown = await retry(task, recorded().options).catch((error: unknown) => error);
    expect(errors).toHaveLength(5);
    expect(thrown).toBe(errors[4]);
  });

  test("retry() keeps waits below the limit and varies them by the jitter", async () => {
    const low = recorded({ random: () => 0, attempts: 9 });
    await retry(failing(8, transient).task, low.options);
    expect(low.waits.slice(-2)).toEqual([48_000, 48_000]);
    const high = recorded({ random: () => 1, attempts: 2 });
    await retry(failing(1, transient).task, high.options);
    expect(high.waits).toEqual([1200]);
  });

  test("retry() waits as long as the error says, but never drops the backoff for 0", async () => {
    const said = (retryAfterMs: number) => () => Object.assign(transient(), { retryAfterMs });
    const long = recorded();
    await retry(failing(1, said(90_000)).task, long.options);
    const zero = recorded();
    await retry(failing(1, said(0)).task, zero.options);
    expect([...long.waits, ...zero.waits]).toEqual([90_000, 1000]);
  });

  test("retry() leaves lasting and foreign errors alone", async () => {
    const lasting = failing(1, () => new NetworkError("unknown host"));
    await expect(retry(lasting.task, recorded().options)).rejects.toThrow("unknown host");
    const foreign = failing(1, () => Object.assign(new Error("bug"), { transient: true }));
    await expect(retry(foreign.task, recorded().options)).rejects.toThrow("bug");
    expect([lasting.calls(), foreign.calls()]).toEqual([1, 1]);
  });

  test("retry() stops with the signal's reason, also in the middle of a wait", async () => {
    const controller = new AbortController();
    const { task, calls } = failing(9, transient);
    const options = {
      baseMs: 60_000,
      signal: controller.signal,
      onRetry: () => setImmediate(() => controller.abort(new Error("stop"))),
    };
    await expect(retry(task, options)).rejects.toThrow("stop");
    expect(calls()).toBe(1);
    await expect(retry(task, { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
    expect(calls()).toBe(1);
  });
});
