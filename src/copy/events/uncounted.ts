import type { BlobLabel, OnProgress } from "../../content/progress.ts";
import type { Digest } from "../../oci/digest.ts";

/** The listener, without events of blobs that an earlier step of the call has counted. */
export function uncounted(onProgress: OnProgress, counted: ReadonlySet<Digest> | undefined): OnProgress {
  if (counted === undefined || counted.size === 0) return onProgress;
  const labels: ReadonlySet<BlobLabel> = counted;
  return event => {
    if (!("blob" in event) || !labels.has(event.blob)) onProgress(event);
  };
}
