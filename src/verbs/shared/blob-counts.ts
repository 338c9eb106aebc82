import type { BlobLabel, OnProgress } from "../../content/progress.ts";

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

interface BlobCounter {
  readonly onProgress: OnProgress;
  counts(): BlobCounts;
  /** Blobs that were mounted or skipped by their digest alone, without reading them. */
  unread(): number;
}

/** Counts events on their way to the listener. */
export function createBlobCounter(listener: OnProgress): BlobCounter {
  let unread = 0;
  const read = new Set<BlobLabel>();
  const blobs = { uploaded: 0, mounted: 0, skipped: 0, cached: 0 };
  return {
    onProgress(event) {
      if (event.kind === "done") {
        blobs.uploaded += 1;
        read.add(event.blob);
      }
      if (event.kind === "skipped") {
        blobs[event.reason === "mounted" ? "mounted" : "skipped"] += 1;
        if (event.isCached === true) blobs.cached += 1;
        // A blob that was read before the target turned out to have it has no bytes left to skip.
        if (event.bytes > 0 && !read.has(event.blob)) unread += 1;
      }
      listener(event);
    },
    counts: () => ({ ...blobs }),
    unread: () => unread,
  };
}
