import { expect, test } from "vitest";
import { IMAGES_AT_ONCE, runImages } from "../../../../src/copy/claims/run-images.ts";
import { deferred } from "../../../../src/util/promises.ts";

const MANY = 8 * IMAGES_AT_ONCE;
/** Turns of the event loop: enough for all that can begin to have begun. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise(resolve => setImmediate(resolve));
}

test("images at work are bounded, those that stand aside are not among them, and nothing is lost", async () => {
  const [held, ended] = [deferred<void>(), new Set<number>()];
  let [working, most] = [0, 0];
  const count = (change: number): void => {
    working += change;
    most = Math.max(most, working);
  };
  const running = runImages(Array(MANY).keys(), {}, async (image, place, signal) => {
    count(1);
    if (image % 2 === 0) {
      const wait = async (): Promise<void> => {
        count(-1);
        await held.promise;
      };
      await place.aside(10, wait, signal);
      count(1);
    }
    await Promise.resolve();
    ended.add(image);
    count(-1);
  });
  await settled();
  expect([...ended].sort((left, right) => left - right)).toEqual([...Array(MANY).keys()].filter(image => image % 2));
  held.resolve();
  await running;
  expect(ended.size).toBe(MANY);
  expect(most).toBe(IMAGES_AT_ONCE);
});

test("what stands aside is bounded by what it keeps in memory: the next one holds its place", async () => {
  const held = deferred<void>();
  let begun = 0;
  const running = runImages(Array(MANY).keys(), {}, async (_, place, signal) => {
    begun += 1;
    await place.aside(1024 * 1024, async () => await held.promise, signal);
  });
  await settled();
  expect(begun).toBe(4 + IMAGES_AT_ONCE);
  held.resolve();
  await running;
  expect(begun).toBe(MANY);
});

test("never more than asked for", async () => {
  let [working, most] = [0, 0];
  await runImages(Array(10).keys(), { atMost: 1 }, async (_, place, signal) => {
    working += 1;
    most = Math.max(most, working);
    await Promise.resolve();
    working -= 1;
    await place.aside(0, async () => await Promise.resolve(), signal);
  });
  expect(most).toBe(1);
});

test("a failure and a stop end those that stand aside, and those that come back", async () => {
  for (const reason of ["failed", "stopped"]) {
    const stop = new AbortController();
    const seen: unknown[] = [];
    const running = runImages(Array(MANY).keys(), { signal: stop.signal }, async (image, place, signal) => {
      if (image === MANY - 1) {
        if (reason === "failed") throw new Error(reason);
        stop.abort(new Error(reason));
        return;
      }
      const wait = async (): Promise<void> =>
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
      await place.aside(10, wait, signal).catch((error: unknown) => {
        seen.push(error);
        throw error;
      });
    });
    await expect(running).rejects.toThrow(reason);
    expect(seen).toHaveLength(MANY - 1);
  }
});
