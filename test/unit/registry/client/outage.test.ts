import { expect, test } from "vitest";
import { Outage } from "../../../../src/registry/client/outage.ts";
import { deferred } from "../../../../src/util/promises.ts";

function outageWith(probe: () => Promise<boolean>): { readonly outage: Outage; readonly waits: number[] } {
  const waits: number[] = [];
  const outage = new Outage({
    host: "registry.lan:5000",
    patienceMs: 10_000,
    answers: () => 1,
    probe,
    onWait: undefined,
    sleep: async ms => void waits.push(ms),
    now: () => 0,
  });
  return { outage, waits };
}

test("one whose connection was refused tries again if the host answers another one, whose request is at fault", async () => {
  const answer = deferred<boolean>();
  const { outage, waits } = outageWith(async () => await answer.promise);
  const bad = outage.survive("blob a", false, undefined);
  const refused = outage.survive("blob b", true, undefined);
  const alsoBad = outage.survive("blob c", false, undefined);
  answer.resolve(true);
  await expect(Promise.all([bad, refused, alsoBad])).resolves.toEqual([false, true, false]);
  expect(waits).toEqual([]);
});

test("if the one who asks is interrupted, another one asks for the rest of the time", async () => {
  const answers = [deferred<boolean>(), deferred<boolean>()];
  let asked = 0;
  const probe = async (): Promise<boolean> => {
    asked += 1;
    return await (answers[asked - 1]?.promise ?? Promise.resolve(false));
  };
  const { outage, waits } = outageWith(probe);
  const first = outage.survive("blob a", true, undefined);
  const second = outage.survive("blob b", true, undefined);
  answers[0]?.reject(new Error("interrupted"));
  await expect(first).rejects.toThrow("interrupted");
  answers[1]?.resolve(true);
  await expect(second).resolves.toBe(true);
  expect(waits).toEqual([1000, 1000]);
});

test("all are given up together after the time, and later ones at once", async () => {
  const { outage, waits } = outageWith(async () => false);
  const both = [outage.survive("blob a", true, undefined), outage.survive("blob b", false, undefined)];
  await expect(Promise.all(both)).resolves.toEqual([false, false]);
  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBe(10_000);
  await expect(outage.survive("blob c", true, undefined)).resolves.toBe(false);
  expect(waits.reduce((sum, ms) => sum + ms, 0)).toBe(10_000);
});
