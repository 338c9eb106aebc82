import { basename, dirname, join } from "node:path";
import type { LockedSet } from "../../bundle/lock/lock.ts";
import { MAX_LOCK_SIGNATURE_BYTES } from "../../oci/signatures/lock-signature.ts";
import { discardFile } from "../../util/disk.ts";
import { lstat, readdir } from "../../util/read-disk.ts";
import { setOfVolume, sumsAt } from "./volume-marks.ts";
import { sumsSignature, type VolumeNames } from "./volume-names.ts";

/**
 * Removes what no shard of a set replaces of an earlier set: volumes whose names the set does not use, their sums, and the
 * sums of all volumes, which no shard writes. Volumes with names of this set are left: the shard that writes one replaces it.
 *
 * Shards may do this at the same time: all have the id of the set, so none removes what another one has written.
 * A file is removed last that says that the others may be removed, so that a run that is killed here can do the rest later.
 *
 * @throws SystemFault
 */
export async function removeEarlierSet(names: VolumeNames, { id, of }: LockedSet): Promise<void> {
  const folder = dirname(names.sums());
  for (const name of (await readdir(folder)).sort()) {
    const number = name.endsWith(".tar") ? names.numberIn(name) : undefined;
    if (number === undefined || (number >= 1 && number <= of && name === basename(names.volume(number, of)))) continue;
    const path = join(folder, name);
    const set = await setOfVolume(path);
    if (set === undefined || set.id === id) continue;
    await removeSums(`${path.slice(0, -".tar".length)}.sha256`);
    await discardFile(path);
  }
  await removeSums(names.sums());
}

/** With their signature, which has no mark: it counts only next to sums. */
async function removeSums(path: string): Promise<void> {
  if ((await sumsAt(path)) !== "sums") return;
  const signature = sumsSignature(path);
  const stats = await lstat(signature).catch(() => undefined);
  if (stats?.isFile() === true && stats.size <= MAX_LOCK_SIGNATURE_BYTES) await discardFile(signature);
  await discardFile(path);
}
