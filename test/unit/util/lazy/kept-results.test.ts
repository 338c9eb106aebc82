import { expect, test } from "vitest";
import { KeptResults } from "../../../../src/util/lazy/kept-results.ts";
import { deferred } from "../../../../src/util/promises.ts";

test("one run serves all callers, at the same time and later, also if it fails", async () => {
  const kept = new KeptResults<number>();
  let runs = 0;
  const count = async (): Promise<number> => {
    runs += 1;
    if (runs > 1) throw new Error("no number");
    return runs;
  };
  const get = async (key: string): Promise<number> => await kept.get(key, count, undefined);
  await expect(Promise.all([get("a"), get("a")])).resolves.toEqual([1, 1]);
  await expect(get("a")).resolves.toBe(1);
  await expect(get("b")).rejects.toThrow("no number");
  await expect(get("b")).rejects.toThrow("no number");
  expect(runs).toBe(2);
});

test("a caller that is aborted does not end the run of another one, and leaves nothing to later ones", async () => {
  const kept = new KeptResults<string>();
  const signals: AbortSignal[] = [];
  const answer = deferred<string>();
  const ask = async (signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return await answer.promise;
  };
  const [first, second] = [new AbortController(), new AbortController()];
  const [one, other] = [kept.get("a", ask, first.signal), kept.get("a", ask, second.signal)];
  first.abort(new Error("the first failed"));
  await expect(one).rejects.toThrow("the first failed");
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  second.abort(new Error("so did the second"));
  await expect(other).rejects.toThrow("so did the second");
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  const third = kept.get("a", ask, undefined);
  answer.resolve("tags");
  await expect(third).resolves.toBe("tags");
  expect(signals).toHaveLength(2);
});
