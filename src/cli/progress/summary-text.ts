import type { CopyResult, PullResult, PushResult } from "../../index.ts";
import { counted, escapeForeign, formatBytes } from "../../util/format.ts";
import { writtenText } from "../output/written-text.ts";

/** What was done, in one line. */
export function summaryText(result: PushResult | PullResult | CopyResult, done: "Pushed" | "Copied"): string {
  const seconds = `${result.seconds.toFixed(1)} s`;
  if ("output" in result) {
    const platforms =
      result.platforms.length === 0 ? "" : ` (${result.platforms.map(name => escapeForeign(name)).join(", ")})`;
    return `Pulled ${writtenText(result)} in ${seconds}${platforms}`;
  }
  const { uploaded, mounted, skipped, cached } = result.blobs;
  return `${done} ${counted(uploaded, "blob")} (${mounted} mounted, ${skipped} already present, ${cached} known from the cache), ${formatBytes(result.bytesSent)} sent in ${seconds}`;
}
