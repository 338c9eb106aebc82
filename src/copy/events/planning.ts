import type { OnProgress, ProgressEvent } from "../../content/progress.ts";

/** The event of images whose blobs are planned one after the other, each with a task in `planning`. */
export function imagesToPlan(images: number): ProgressEvent {
  return { kind: "planned", images, blobs: 0, bytes: 0, ...(images === 0 ? {} : { unplanned: images }) };
}

/**
 * Runs a task that plans images with its first event `planned`, which then says so. The end of a task that plans nothing (its
 * images are there already, or failed) says it, too.
 *
 * @param images of those in `imagesToPlan`.
 */
export async function planning<T>(
  onProgress: OnProgress,
  images: number,
  task: (onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  let unplanned = images;
  const noting: OnProgress = event => {
    if (event.kind !== "planned" || unplanned === 0) return onProgress(event);
    const planned = unplanned;
    unplanned = 0;
    onProgress({ ...event, unplanned: -planned });
  };
  try {
    return await task(noting);
  } finally {
    if (unplanned > 0) noting({ kind: "planned", blobs: 0, bytes: 0 });
  }
}
