import { expect, test } from "vitest";
import type { ProgressEvent } from "../../../../src/content/progress.ts";
import { PlannedBlobs } from "../../../../src/copy/claims/planned-blobs.ts";
import type { Digest } from "../../../../src/oci/digest.ts";

const [A, B] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`] as const;

/** What a copy needs. */
function needs(...blobs: readonly (readonly [digest: Digest, size: number])[]): Parameters<PlannedBlobs["plan"]>[0] {
  return { blobs: blobs.map(([digest, size]) => ({ mediaType: "layer", digest, size })), pending: [] };
}

/** What `planned` events add up to, and what `skipped` and `done` do. */
function sums(events: readonly ProgressEvent[]): Record<"planned" | "plannedBytes" | "ended" | "skippedBytes", number> {
  const found = { planned: 0, plannedBytes: 0, ended: 0, skippedBytes: 0 };
  for (const event of events) {
    if (event.kind === "planned") {
      found.planned += event.blobs;
      found.plannedBytes += event.bytes;
    } else if (event.kind === "done" || (event.kind === "skipped" && event.isRepeated !== true)) found.ended += 1;
    if (event.kind === "skipped") found.skippedBytes += event.bytes;
  }
  return found;
}

test("a blob that several copies need is planned once, and is repeated for all but the first", () => {
  const planned = new PlannedBlobs();
  const events: ProgressEvent[] = [];
  const report = planned.counting(event => void events.push(event));
  events.push(planned.plan(needs([A, 10])));
  events.push(planned.plan(needs([A, 10], [B, 5])));
  report({ kind: "started", blob: A, bytes: 10 });
  report({ kind: "done", blob: A, bytes: 10 });
  report({ kind: "skipped", blob: B, bytes: 5, reason: "exists" });
  report({ kind: "skipped", blob: A, bytes: 10, reason: "mounted" });
  expect(sums(events)).toEqual({ planned: 2, plannedBytes: 15, ended: 2, skippedBytes: 5 });
  expect(events.at(-1)).toEqual({ kind: "skipped", blob: A, bytes: 0, reason: "mounted", isRepeated: true });
});

test("a blob that one repository cannot take from another one is planned again when it is sent again", () => {
  const planned = new PlannedBlobs();
  const events: ProgressEvent[] = [];
  const report = planned.counting(event => void events.push(event));
  for (let time = 0; time < 2; time += 1) {
    events.push(planned.plan(needs([A, 10])));
    report({ kind: "started", blob: A, bytes: 10 });
    report({ kind: "done", blob: A, bytes: 10 });
  }
  expect(sums(events)).toMatchObject({ planned: 2, plannedBytes: 20, ended: 2 });
});
