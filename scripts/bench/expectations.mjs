// @ts-check
// What a reader of the page of many images wants to know first: how long, and how much memory a job needs.
import { SIZES, sized } from "./large.mjs";
import { medianOf } from "./measure.mjs";
import { table } from "./report.mjs";

/** @typedef {import("./measure.mjs").Results} Results */

/** Above what was measured, to the next step. */
const MARGIN = 1.25;
const STEP_BYTES = 256 * 2 ** 20;

/** Empty if it was not measured. @param {ReadonlyMap<string, Results>} all results by scenario */
export function expectations(all) {
  const wide = all.get("large-blobs");
  if (wide === undefined) return "";
  const [count] = SIZES;
  const rows = ["lock", "pull of the lock", "push", "copy of the lock"].map(what => {
    const wall = medianOf(wide, sized(what, count), "wall");
    const peak = medianOf(wide, sized(what, count), "peak");
    return [
      what,
      wall === undefined ? "–" : `${Math.ceil(wall)} s`,
      peak === undefined ? "–" : `${Math.ceil(peak / 2 ** 20)} MiB`,
    ];
  });
  return [
    "## What to expect",
    `1,000 images of 24 tiny layers, rounded up. Larger layers add the time of their bytes, and a distant registry adds round trips;
neither adds memory.`,
    table(["", "time", "peak memory"], rows),
    `Memory to give to a job, the most of all rows of \`lock\`, \`pull\`, \`push\` and \`copy\` and a quarter more, in steps of 256 MiB: ${SIZES.map(size => `${size.toLocaleString("en")} images, ${memoryFor(all, size)}`).join("; ")}.`,
  ].join("\n\n");
}

/** @param {ReadonlyMap<string, Results>} all @param {number} size images */
function memoryFor(all, size) {
  const peaks = ["large-registry", "large-blobs"].flatMap(id =>
    [...(all.get(id) ?? new Map()).keys()]
      .filter(label => label === sized(label.slice("imgpack ".length).split(",")[0] ?? "", size))
      .flatMap(label => medianOf(all.get(id) ?? new Map(), label, "peak") ?? []),
  );
  return peaks.length === 0
    ? "not measured"
    : `${(Math.ceil((Math.max(...peaks) * MARGIN) / STEP_BYTES) * STEP_BYTES) / 2 ** 20} MiB`;
}
