import { expect, onTestFinished, test, vi } from "vitest";
import { waits } from "../support/instant-waits.ts";
import { expectWhole, pullCase, SMALL, SMALL_BLOB } from "./pull-support.ts";

vi.mock("node:timers/promises", async () => await import("../support/instant-waits.ts"));

test("pull() waits until the date that a 429 names", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-03-01T12:00:00Z") });
  onTestFinished(() => void vi.useRealTimers());
  const reply = { status: 429, headers: { "retry-after": "Sun, 01 Mar 2026 12:00:30 GMT" } };
  await expectWhole(await pullCase({ faults: [{ on: SMALL_BLOB, reply }], layers: [SMALL] }));
  expect(waits).toEqual([30_000]);
});
