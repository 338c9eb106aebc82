import { MAX_REPOSITORIES } from "../lock/format-lock.ts";
import { jsonLines } from "../lock/json-lines.ts";
import type { Need, NeededBlob } from "./need.ts";

/** Value of the field `format`. */
export const NEED_FORMAT = "imgpack-need";
/** Value of the field `version`. */
export const NEED_VERSION = 1;

/** The text of a need list: JSON with one image or blob per line, sorted. The same needs give the same text. */
export function formatNeed({ of, volumes, images, blobs }: Need): string {
  const sortedBlobs = [...blobs].sort(({ digest: left }, { digest: right }) => (left < right ? -1 : 1));
  return [
    `{"format":"${NEED_FORMAT}","version":${NEED_VERSION},"of":"${of}",\n`,
    `"volumes":${JSON.stringify([...new Set(volumes)].sort((left, right) => left - right))},\n`,
    `"images":[${jsonLines([...new Set(images)].sort())}],\n"blobs":[${jsonLines(sortedBlobs.map(rowOf))}]}\n`,
  ].join("");
}

/** The row that a lock has, and the ranges. */
function rowOf({ digest, size, kind, repositories, ranges }: NeededBlob): readonly unknown[] {
  const from = [...new Set(repositories)].sort().slice(0, MAX_REPOSITORIES);
  return [digest, size, kind, from, ...(ranges === undefined ? [] : [ranges])];
}
