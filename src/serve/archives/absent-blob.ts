import type { AbsentBlob, ImageArchive } from "../../archive/archive-source.ts";
import type { Digest } from "../../oci/digest.ts";

const MAPS = new WeakMap<readonly AbsentBlob[], ReadonlyMap<Digest, AbsentBlob>>();

/** A blob that an archive names and lacks. All repositories of an archive share one map: both may have thousands. */
export function absentBlob({ absent }: Pick<ImageArchive, "absent">, digest: Digest): AbsentBlob | undefined {
  const map = MAPS.get(absent) ?? new Map(absent.map(blob => [blob.digest, blob]));
  MAPS.set(absent, map);
  return map.get(digest);
}
