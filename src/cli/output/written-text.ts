import type { ConvertResult, PullResult } from "../../index.ts";
import { counted, escapeForeign, formatBytes } from "../../util/format.ts";

/**
 * `14 blobs, 52.0 MiB, to site.tar`. A volume that is written alone has its own size: the blobs of the result are those of the
 * whole set.
 */
export function writtenText({
  blobs,
  blobBytes,
  output,
  volumes = [],
}: Pick<PullResult | ConvertResult, "blobs" | "blobBytes" | "output" | "volumes">): string {
  const [first, last] = [volumes[0], volumes.at(-1)];
  if (first !== undefined && first === last && first.of > 1) {
    return `volume ${first.number} of ${first.of}, ${formatBytes(first.bytes)}, to ${escapeForeign(first.path)}`;
  }
  const all = `${counted(blobs, "blob")}, ${formatBytes(blobBytes)}, to`;
  if (first === undefined || last === undefined) return `${all} ${escapeForeign(output)}`;
  if (first === last) return `${all} ${escapeForeign(first.path)}`;
  return `${all} ${counted(volumes.length, "volume")}, ${escapeForeign(first.path)} … ${escapeForeign(last.path)},`;
}
