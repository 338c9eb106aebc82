import type { ConvertResult, PullResult } from "../../index.ts";
import { counted, escapeForeign, formatBytes } from "../../util/format.ts";

type Written = Pick<ConvertResult, "blobs" | "blobBytes" | "output" | "volumes"> & Pick<PullResult, "patch">;

/**
 * `14 blobs, 52.0 MiB, to site.tar`. A volume that is written alone has its own size: the blobs of the result are those of the
 * whole set.
 */
export function writtenText({ blobs, blobBytes, output, volumes = [], patch }: Written): string {
  const [first, last] = [volumes[0], volumes.at(-1)];
  if (first !== undefined && first === last && first.of > 1) {
    return `volume ${first.number} of ${first.of}, ${formatBytes(first.bytes)}, to ${escapeForeign(first.path)}`;
  }
  const pieces = patch === undefined || patch.pieces === 0 ? undefined : counted(patch.pieces, "piece");
  const whole =
    patch === undefined || patch.blobs > 0 || pieces === undefined ? counted(patch?.blobs ?? blobs, "blob") : undefined;
  const all = `${[whole, pieces].filter(part => part !== undefined).join(" and ")}, ${formatBytes(blobBytes)}, to`;
  if (first === undefined || last === undefined) return `${all} ${escapeForeign(output)}`;
  if (first === last) return `${all} ${escapeForeign(first.path)}`;
  return `${all} ${counted(volumes.length, "volume")}, ${escapeForeign(first.path)} … ${escapeForeign(last.path)},`;
}
