import { queryObjects } from "node:v8";
import { expect, test } from "vitest";
import { deferred } from "../../../src/util/promises.ts";
import { runBounded, TaskGroup } from "../../../src/util/task-group.ts";
import { turns } from "../../support/memory-blobs.ts";

/** Promises in use, of all that runs in this process. */
function livePromises(): number {
  return queryObjects(Promise, { format: "count" });
}

test("a group keeps nothing for each short job that ended while a long one runs", async () => {
  await using jobs = new TaskGroup(2, undefined);
  const gate = deferred<void>();
  void jobs.start(async () => await gate.promise);
  const promisesAfter = async (count: number): Promise<number> => {
    for (let started = 0; started < count; started += 1) {
      await jobs.room();
      void jobs.start(async () => await turns());
    }
    return livePromises();
  };
  const few = await promisesAfter(500);
  const more = await promisesAfter(1000);
  gate.resolve();
  expect(more - few).toBeLessThan(50);
});

test("runBounded has as many promises for twice as many items that wait", async () => {
  const pending = async (count: number): Promise<number> => {
    const gate = deferred<void>();
    const before = livePromises();
    let ended = 0;
    const running = runBounded(Array(count).keys(), 4, async () => {
      await gate.promise;
      ended += 1;
    });
    await turns(3);
    const promises = livePromises() - before;
    gate.resolve();
    await running;
    expect(ended).toBe(count);
    return promises;
  };
  const few = await pending(500);
  expect(few).toBeGreaterThan(4);
  const more = await pending(1000);
  expect(more - few).toBeLessThan(50);
});
