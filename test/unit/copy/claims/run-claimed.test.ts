import { expect, test } from "vitest";
import { BlobClaims } from "../../../../src/copy/claims/blob-claims.ts";
import { runClaimed } from "../../../../src/copy/claims/run-claimed.ts";
import { Pace } from "../../../../src/util/pace/pace.ts";
import { deferred } from "../../../../src/util/promises.ts";

interface Sending {
  readonly claims: BlobClaims;
  readonly pace: Pace;
  /** "start KEY" and "end KEY", in order. */
  readonly log: string[];
}

function sending(max: number): Sending {
  return { claims: new BlobClaims(), pace: new Pace({ max }), log: [] };
}

async function send(
  { claims, pace, log }: Sending,
  keys: readonly string[],
  task: (key: string) => Promise<void> = async () => undefined,
  signal?: AbortSignal,
): Promise<void> {
  await runClaimed(keys, { claims, pace, keyOf: key => key, signal }, async key => {
    log.push(`start ${key}`);
    await task(key);
    log.push(`end ${key}`);
  });
}

test("two copies never send one blob at once, also with one turn for both, and none waits for ever", async () => {
  const run = sending(1);
  await Promise.all([send(run, ["a", "b", "c"]), send(run, ["c", "b", "a"])]);
  expect(run.log.toSorted()).toEqual(
    ["a", "b", "c"].flatMap(key => [`end ${key}`, `end ${key}`, `start ${key}`, `start ${key}`]).toSorted(),
  );
  for (const key of ["a", "b", "c"])
    expect(run.log.filter(line => line.endsWith(key))).toEqual([
      `start ${key}`,
      `end ${key}`,
      `start ${key}`,
      `end ${key}`,
    ]);
});

test("a blob that could not be sent is sent by one of those who wait for it", async () => {
  const run = sending(6);
  const [started, failure] = [deferred<void>(), deferred<void>()];
  const failing = send(run, ["a"], async () => {
    started.resolve();
    await failure.promise;
  });
  await started.promise;
  const others = [send(run, ["a"]), send(run, ["a"])];
  failure.reject(new Error("refused"));
  await expect(failing).rejects.toThrow("refused");
  await Promise.all(others);
  expect(run.log).toEqual(["start a", "start a", "end a", "start a", "end a"]);
});

test("a copy that waits for another one ends at once when it is stopped", async () => {
  const run = sending(6);
  const [started, end, stop] = [deferred<void>(), deferred<void>(), new AbortController()];
  const first = send(run, ["a"], async () => {
    started.resolve();
    await end.promise;
  });
  await started.promise;
  const second = send(run, ["b", "a"], async () => undefined, stop.signal);
  stop.abort(new Error("stopped"));
  await expect(second).rejects.toThrow("stopped");
  end.resolve();
  await first;
});
