import type { ConvertResult, PullResult } from "../../index.ts";
import { counted, escapeForeign, formatBytes } from "../../util/format.ts";

/** Of some of the volumes; others are counted. */
const MAX_PATHS = 4;

type Written = Pick<ConvertResult, "blobs" | "blobBytes" | "output" | "volumes"> & Pick<PullResult, "patch" | "shard">;

/**
 * `14 blobs, 52.0 MiB, to site.tar`. Volumes of which not all are written have their own size: a blob of the result may be
 * in several of them.
 */
export function writtenText({ blobs, blobBytes, output, volumes = [], shard, patch }: Written): string {
  if (shard !== undefined && shard.volumes === 0) return `none of ${counted(shard.ofVolumes, "volume")}`;
  const [first, last] = [volumes[0], volumes.at(-1)];
  if (first !== undefined && first === last && first.of > 1) {
    return `volume ${first.number} of ${first.of}, ${formatBytes(first.bytes)}, to ${escapeForeign(first.path)}`;
  }
  const pieces = patch === undefined || patch.pieces === 0 ? undefined : counted(patch.pieces, "piece");
  const whole =
    patch === undefined || patch.blobs > 0 || pieces === undefined ? counted(patch?.blobs ?? blobs, "blob") : undefined;
  const all = `${[whole, pieces].filter(part => part !== undefined).join(" and ")}, ${formatBytes(blobBytes)}, to`;
  if (first === undefined || last === undefined) return `${all} ${escapeForeign(output)}`;
  if (volumes.length < first.of) {
    const paths = volumes.map(({ path }) => escapeForeign(path));
    const more = paths.length > MAX_PATHS ? ` and ${paths.length - MAX_PATHS} more` : "";
    const bytes = volumes.reduce((sum, volume) => sum + volume.bytes, 0);
    return `${volumes.length} of ${counted(first.of, "volume")}, ${formatBytes(bytes)}, to ${paths.slice(0, MAX_PATHS).join(", ")}${more},`;
  }
  if (first === last) return `${all} ${escapeForeign(first.path)}`;
  return `${all} ${counted(volumes.length, "volume")}, ${escapeForeign(first.path)} … ${escapeForeign(last.path)},`;
}
