import type { PendingBlob } from "../content/contracts.ts";
import type { BlobLabel } from "../content/progress.ts";

/** A raw layer in events. Not the key, which also says how the layer is compressed. */
export function labelOf({ origin }: PendingBlob): BlobLabel {
  return `layer ${origin.digest}`;
}
