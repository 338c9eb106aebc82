import type { ArchiveListing } from "../../../index.ts";
import { counted, escapeForeign, formatBytes, shortId } from "../../../util/format.ts";
import { table } from "../../screen/table.ts";
import type { View } from "../../screen/view.ts";

/** The images of an archive, a line each. */
export function* listingLines(
  { id, images, blobs, bytes, left, assumed }: ArchiveListing,
  view: View,
): Generator<string> {
  yield* table(
    ["IMAGE", "DIGEST", "PLATFORMS", "REFERRERS"],
    images.map(({ name, digest, platforms, referrers }) => [
      name || "(no name)",
      view.digest(digest),
      platforms.map(platform => escapeForeign(platform)).join(","),
      referrers === undefined ? "unknown" : referrers === 0 ? "none" : `${referrers}`,
    ]),
    view,
    [2],
  );
  yield `${counted(images.length, "image")}, ${counted(blobs, "blob")}, ${formatBytes(bytes)}`;
  if (assumed !== undefined)
    yield `Left to the base: ${counted(assumed.blobs, "layer")}, ${formatBytes(assumed.bytes)}`;
  if (left > 0) yield `Left out: ${counted(left, "image")}`;
  yield `Lock ${shortId(id)}`;
}
