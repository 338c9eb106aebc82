import { describe, expect, test } from "vitest";
import { abortable, allEnded, deferred } from "../../../src/util/promises.ts";
import { turns } from "../../support/memory-blobs.ts";

describe("abortable()", () => {
  test("settles as its promise does", async () => {
    const { signal } = new AbortController();
    expect(await abortable(Promise.resolve(7), signal)).toBe(7);
    expect(await abortable(Promise.resolve(8), undefined)).toBe(8);
    await expect(abortable(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
  });

  test("rejects with the reason as soon as the signal aborts", async () => {
    const stop = new AbortController();
    const failed = expect(abortable(deferred<void>().promise, stop.signal)).rejects.toThrow("interrupted");
    stop.abort(new Error("interrupted"));
    await failed;
  });

  test("leaves no failure unhandled that comes after the abort", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const late = [deferred<void>(), deferred<void>()];
    const stop = new AbortController();
    const waiting = expect(abortable((late[0] ?? deferred<void>()).promise, stop.signal)).rejects.toThrow(
      "interrupted",
    );
    stop.abort(new Error("interrupted"));
    await waiting;
    await expect(abortable((late[1] ?? deferred<void>()).promise, stop.signal)).rejects.toThrow("interrupted");
    for (const each of late) each.reject(new Error("late"));
    await turns(3);
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });
});

describe("allEnded()", () => {
  test("gives all results in order", async () => {
    expect(await allEnded([Promise.resolve(1), "two", undefined])).toEqual([1, "two", undefined]);
  });

  test("throws the first failure only when the others have ended", async () => {
    const slow = deferred<void>();
    let isThrown = false;
    const failed = allEnded([Promise.reject(new Error("thread died")), slow.promise]).catch(error => {
      isThrown = true;
      throw error;
    });
    const expected = expect(failed).rejects.toThrow("thread died");
    await turns(3);
    expect(isThrown).toBe(false);
    slow.resolve();
    await expected;
  });
});
