import type { CopyPlan } from "../../content/contracts.ts";
import type { BlobLabel, OnProgress, ProgressEvent } from "../../content/progress.ts";
import { labelOf } from "../blob-label.ts";

/**
 * The blobs that the copies of one call need at one registry: each counts once in events, however many images share it. The
 * first copy plans it; for the others it is repeated, unless they have to send it again.
 */
export class PlannedBlobs {
  /** Whether each is at the registry already. */
  readonly #blobs = new Map<BlobLabel, boolean>();

  /** The event for what a copy, or a dry run, needs and no other one has planned yet. A raw layer counts as it is read. */
  plan({ blobs, pending }: Pick<CopyPlan, "blobs" | "pending">): ProgressEvent {
    const needed = [
      ...blobs.map(({ digest, size }) => ({ blob: digest, bytes: size })),
      ...pending.map(one => ({ blob: labelOf(one), bytes: one.sourceBytes })),
    ];
    const fresh = needed.filter(({ blob }) => !this.#blobs.has(blob));
    for (const { blob } of fresh) this.#blobs.set(blob, false);
    return { kind: "planned", blobs: fresh.length, bytes: fresh.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  /** The listener of one copy. */
  counting(onProgress: OnProgress): OnProgress {
    return event => {
      const isThere = "blob" in event && this.#blobs.get(event.blob) === true;
      if (event.kind === "skipped" && isThere) return onProgress({ ...event, bytes: 0, isRepeated: true });
      // Another repository of the registry has it, and this one cannot take it from there.
      if (event.kind === "started" && isThere) {
        this.#blobs.set(event.blob, false);
        onProgress({ kind: "planned", blobs: 1, bytes: event.bytes });
      }
      if (event.kind === "skipped" || event.kind === "done") this.#blobs.set(event.blob, true);
      onProgress(event);
    };
  }
}
