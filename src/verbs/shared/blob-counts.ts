import type { OnProgress } from "../../content/progress.ts";

/** What happened to the blobs of a call. */
export interface BlobCounts {
  readonly uploaded: number;
  /** Taken over from another repository of the same registry, without sending bytes. */
  readonly mounted: number;
  /** The target had them already. */
  readonly skipped: number;
  /** Raw layers whose digest was known from an earlier run; also counted as mounted or skipped. */
  readonly cached: number;
}

/** Counts events on their way to the listener. */
export function createBlobCounter(listener: OnProgress): { readonly onProgress: OnProgress; counts(): BlobCounts } {
  const blobs = { uploaded: 0, mounted: 0, skipped: 0, cached: 0 };
  return {
    onProgress(event) {
      if (event.kind === "done") blobs.uploaded += 1;
      if (event.kind === "skipped") {
        blobs[event.reason === "mounted" ? "mounted" : "skipped"] += 1;
        if (event.isCached === true) blobs.cached += 1;
      }
      listener(event);
    },
    counts: () => ({ ...blobs }),
  };
}
