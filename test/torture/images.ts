import { writeFile } from "node:fs/promises";
import { dockerArchive, seededBytes } from "../support/images.ts";

const KIB = 1024;
/** Of layers that do not compress: of several chunks, of a few, and of one that is not full. */
export const LAYER_BYTES: readonly number[] = [3 * KIB * KIB, 2.25 * KIB * KIB, 1.5 * KIB * KIB];
/** For tests that need many runs more than many chunks. */
export const SMALL_LAYER_BYTES: readonly number[] = [2 * KIB * KIB, 1.25 * KIB * KIB];

/** A docker archive of raw layers. */
export async function writeImage(path: string, seed: string, sizes: readonly number[] = LAYER_BYTES): Promise<void> {
  const layers = sizes.map((size, place) => seededBytes(`${seed} ${place}`, size));
  await writeFile(path, dockerArchive({ tags: ["torture:1"], layers }));
}
