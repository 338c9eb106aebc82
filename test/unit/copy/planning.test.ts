import { expect, test } from "vitest";
import type { OnProgress, ProgressEvent } from "../../../src/content/progress.ts";
import { imagesToPlan, planning } from "../../../src/copy/events/planning.ts";

const PLAN = { kind: "planned", blobs: 2, bytes: 30 } as const;

test("the first plan of a task, or its end, says that its images are planned, once", async () => {
  const events: ProgressEvent[] = [];
  const onProgress: OnProgress = event => void events.push(event);
  onProgress(imagesToPlan(4));
  await planning(onProgress, 2, async listener => {
    for (const event of [PLAN, PLAN]) listener(event);
  });
  await planning(onProgress, 1, async () => undefined);
  await expect(planning(onProgress, 1, async () => await Promise.reject(new Error("none")))).rejects.toThrow("none");
  const end = { kind: "planned", blobs: 0, bytes: 0, unplanned: -1 };
  expect(events).toEqual([
    { kind: "planned", images: 4, blobs: 0, bytes: 0, unplanned: 4 },
    { ...PLAN, unplanned: -2 },
    PLAN,
    end,
    end,
  ]);
});
