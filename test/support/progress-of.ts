import type { ProgressEvent } from "../../src/content/progress.ts";

/** What a progress bar adds up. */
export function progressOf(events: readonly ProgressEvent[]): Record<"blobs" | "planned" | "moved" | "done", number> {
  const sums = { blobs: 0, planned: 0, moved: 0, done: 0 };
  for (const event of events) {
    if (event.kind === "planned") {
      sums.blobs += event.blobs;
      sums.planned += event.bytes;
    }
    if (event.kind === "bytes") sums.moved += event.delta;
    if (event.kind === "skipped") sums.moved += event.bytes;
    if (event.kind === "done" || event.kind === "skipped") sums.done += 1;
  }
  return sums;
}
