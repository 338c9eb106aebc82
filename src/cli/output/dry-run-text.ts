import type { ConvertResult, PullResult } from "../../index.ts";
import { counted, formatBytes } from "../../util/format.ts";
import { writtenText } from "./written-text.ts";

/** The last line of a dry run that would send images. @param tags that it would put. */
export function unsentText({ blobs, bytes }: { readonly blobs: number; readonly bytes: number }, tags: number): string {
  // Layers that are compressed on their way have no size before that.
  const size = blobs > 0 && bytes === 0 ? "size not known before" : formatBytes(bytes);
  const what = `${counted(blobs, "blob")}, ${size}, and ${counted(tags, "tag")}`;
  return `A run sends at most ${what}; blobs that the registry has are not sent again. Nothing was sent.`;
}

/** The last line of a dry run that would write an archive. */
export function unwrittenText(result: ConvertResult | PullResult): string {
  return `A run writes ${writtenText(result).replace(/,$/, "")}. Nothing was written.`;
}
