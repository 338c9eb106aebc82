import type { OnProgress } from "../../content/progress.ts";
import type { Pace } from "../../util/pace/pace.ts";

/** The listener. The bytes of all events count for the pace of the call. */
export function paced(pace: Pace, onProgress: OnProgress): OnProgress {
  return event => {
    onProgress(event);
    if (event.kind === "bytes") pace.moved(event.delta);
  };
}
