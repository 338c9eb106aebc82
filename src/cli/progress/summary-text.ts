import type { CopyResult, PullResult, PushResult } from "../../index.ts";
import { counted, escapeForeign, formatBytes } from "../../util/format.ts";
import { writtenText } from "../output/written-text.ts";

/** What was done, in one line. @param isPartial whether other inputs failed. */
export function summaryText(
  result: PushResult | PullResult | CopyResult,
  done: "Pushed" | "Copied",
  isPartial: boolean,
): string {
  const seconds = `${result.seconds.toFixed(1)} s`;
  if ("output" in result) {
    const platforms =
      result.platforms.length === 0 ? "" : ` (${result.platforms.map(name => escapeForeign(name)).join(", ")})`;
    return `Pulled ${writtenText(result)} in ${seconds}${platforms}`;
  }
  const { uploaded, mounted, skipped, cached } = result.blobs;
  const { images, shard } = result;
  // Without a byte sent, no manifest and no tag was put either: a blob that was mounted was there.
  if (uploaded + result.bytesSent === 0 && images.length > 0) {
    const part = shard === undefined ? "" : ` of shard ${shard.index}/${shard.of}`;
    const which = images.length === 1 ? "The image" : `${isPartial ? "" : "All "}${images.length} images`;
    const unchecked =
      "uncheckedBlobs" in result && result.uncheckedBlobs === 0
        ? ", and the layers in the archive were not checked"
        : "";
    return `${which}${part} ${images.length === 1 ? "is" : "are"} there: nothing was sent${unchecked}, ${seconds}`;
  }
  return `${done} ${counted(uploaded, "blob")} (${mounted} mounted, ${skipped} already present, ${cached} known from the cache), ${formatBytes(result.bytesSent)} sent in ${seconds}`;
}
