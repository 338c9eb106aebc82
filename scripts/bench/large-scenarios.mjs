// @ts-check
// Many images and large archives, as data: what is measured at two sizes, and how it grows from one to the other.
import { BLOBS, longRows, registryRows, SIZES, sized, wideRows } from "./large.mjs";
import { archiveRows, EACH } from "./large-archives.mjs";
import { HASH, layerRows, WHOLE, wholeLayerRows } from "./large-layers.mjs";
import { against, peakTarget } from "./targets.mjs";

/** @typedef {import("./scenarios.mjs").Scenario} Scenario */
/** @typedef {import("./targets.mjs").Target} Target */

/** @type {Pick<Scenario, "group" | "needs" | "runs" | "isShort" | "isCounted" | "columns" | "ratios" | "growths">} */
export const large = {
  ...{ group: "large", needs: [], runs: 1, isShort: false, isCounted: true, ratios: [] },
  columns: ["cpu", "wall", "peak", "sent", "received", "requests"],
  growths: ["cpu", "wall"],
};

/** Ten times as many images take eleven times as long at most. */
const MOST_GROWTH = Math.log10(11);
const PEAK_BYTES = 300 * 2 ** 20;
const DRY_CPU_SECONDS = 5;
/** Reasons for the page. */
const PLANNED =
  "all images are planned before the first byte moves, and the plan of each blob stays in memory to the end.";
const SPLIT = "more images make more volumes, and each volume contains the lock of all images.";
/** Of what a plain loop takes that reads and hashes each byte once; a start is in it. */
const MOST_HASHING = 1.25;

/** @param {string} what @returns {Target} */
export const linear = what => ({
  text: `CPU growth of ${what}`,
  label: sized(what, SIZES[1]),
  metric: "cpu",
  isGrowth: true,
  limit: MOST_GROWTH,
});

/** @type {Pick<Scenario, "runs" | "isCounted" | "columns">} */
const local = { runs: 1, isCounted: false, columns: ["cpu", "wall", "peak"] };
const many = [
  "inspect",
  "inspect --json",
  "push --dry-run",
  "serve, start",
  "serve, first page",
  "verify",
  "doctor",
  "split",
];

/** @type {Scenario[]} */
export const largeScenarios = [
  {
    ...large,
    id: "large-registry",
    title: "Many images of a registry, of two tiny layers each",
    note: "Each image is in a repository of its own. A growth of 1 is linear, and 2 is quadratic. No manifest is in the cache.",
    rows: registryRows,
    targets: [
      "lock",
      "pull --dry-run",
      "pull --dry-run of the lock",
      "pull of the lock",
      "copy --dry-run of the lock",
    ].map(linear),
  },
  {
    ...large,
    growths: [],
    id: "large-blobs",
    title: `1,000 images with ${BLOBS.toLocaleString("en")} blobs`,
    note: "24 layers each, six of them in one of 20 bases. The second registry is empty at the start of each copy and push.",
    rows: wideRows,
    targets: [
      ...["lock", "pull --dry-run"].map(what => ({
        text: `CPU of ${what}`,
        label: sized(what, SIZES[0]),
        metric: /** @type {const} */ ("cpu"),
        limit: DRY_CPU_SECONDS,
        why: "for each image, a manifest is fetched, hashed, parsed, checked and kept for later runs, and the registry is asked for what refers to it. The CPU time is that of 4,000 such requests.",
      })),
      ...["lock", "pull --dry-run", "pull of the lock"].map(what => ({
        ...peakTarget(sized(what, SIZES[0]), PEAK_BYTES),
        why: PLANNED,
      })),
    ],
  },
  {
    ...large,
    growths: [],
    id: "large-lists",
    title: "Long lists, a long manifest, and an image of many layers",
    rows: longRows,
    targets: [],
  },
  {
    ...large,
    ...local,
    id: "large-archives",
    title: "Archives of many images",
    note: "Five or six small blobs an image, and 20 where a row says so. Nothing is sent.",
    rows: archiveRows,
    targets: [
      {
        text: `CPU of inspect, ${EACH}`,
        label: sized(`inspect, ${EACH}`, SIZES[0]),
        metric: "cpu",
        limit: 1,
        why: "each manifest and each config of the archive is read, hashed and compared with the lock. To believe the lock would be faster, and would not find an archive that was changed.",
      },
      ...many.map(what => ({ ...peakTarget(sized(`${what}, ${EACH}`, SIZES[0]), PEAK_BYTES), why: PLANNED })),
      ...many.map(what => ({ ...linear(what), ...(what === "split" ? { why: SPLIT } : {}) })),
    ],
  },
  {
    ...large,
    ...local,
    id: "large-layers",
    title: "Archives of large layers",
    note: "Layers of 100 MB: zeros in holes of a sparse file. A file of 1 or 4 GB is in memory before each row, so that no row pays for what others find there. Of 100 GB, what reads all of them is measured with --thorough alone.",
    rows: layerRows,
    targets: [
      ...["inspect", "serve, first page"].map(what => peakTarget(sized(what, 100, "GB"))),
      ...["verify", "split"].map(what => peakTarget(sized(what, 4, "GB"))),
      against("cpu", `${HASH}, 4 GB`, MOST_HASHING, sized("verify", 4, "GB")),
    ],
  },
  {
    ...large,
    ...local,
    isThorough: true,
    id: "large-layers-whole",
    title: "All of the layers of 100 GB",
    note: "As above, read from the file each time. The pull is from a synthetic registry to a stream, the split writes one volume of 5 GB after the other, and a server has curl as its client, whose CPU is in the row.",
    rows: wholeLayerRows,
    targets: WHOLE.map(what => peakTarget(sized(what, 100, "GB"))),
  },
];
