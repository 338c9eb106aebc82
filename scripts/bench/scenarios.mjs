// @ts-check
// What is measured, as data: each scenario has rows that run in turn, columns to print and targets to hold against.

import { cacheEnv, coldPushes, memoryRows, packedPushes, prime, pullers, pulls, pushers, rowsOf } from "./rows.mjs";
import { fastest } from "./tools.mjs";

/** @typedef {import("./measure.mjs").Metric} Metric */

/**
 * @typedef {object} Target
 * @property {string} text
 * @property {string} label the row that is held against the limit
 * @property {Metric} metric
 * @property {string[]} [against] rows; the limit is a ratio to the smallest of them
 * @property {string} [of] the scenario those rows are in, default the same
 * @property {number} limit
 */

/**
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} group the word of --only
 * @property {string} title
 * @property {("image" | "large")[]} needs
 * @property {number} [runs] default: that of the command line
 * @property {boolean} isShort
 * @property {boolean} isCounted
 * @property {Metric[]} columns
 * @property {Metric[]} ratios of the first row to each other row
 * @property {(bench: import("./rows.mjs").Bench) => Promise<import("./measure.mjs").Row[]>} rows
 * @property {Target[]} targets
 */

const peakBytes = 200 * 2 ** 20;
/** The digest cache is written too: a block or two of the file system. */
const NO_BYTES = 64 * 2 ** 10;
/** @type {(label?: string) => Target} */
const peakTarget = (label = "imgpack") => ({ text: `peak memory, ${label}`, label, metric: "peak", limit: peakBytes });
/** @type {Partial<Record<Metric, string>>} */
const words = { cpu: "CPU", sent: "bytes sent" };
/** @type {(metric: Metric, peer: string | string[], limit: number) => Target} */
const against = (metric, peer, limit) => ({
  text: `${words[metric] ?? metric} against ${typeof peer === "string" ? peer : "the better peer"}`,
  label: "imgpack",
  metric,
  against: [peer].flat(),
  limit,
});

/** Allocators make a peak vary by some percent. @type {(verb: string) => Omit<Target, "text">} */
const sameAs = verb => ({ label: `${verb} large`, metric: "peak", against: [`${verb} image`], limit: 1.1 });

/** @type {Scenario[]} */
export const scenarios = [
  {
    id: "push",
    group: "push",
    title: "Push a plain archive into an empty registry",
    needs: ["image"],
    isShort: false,
    isCounted: true,
    columns: ["cpu", "wall", "peak", "temp", "sent", "requests"],
    ratios: ["cpu", "wall", "sent"],
    rows: async bench =>
      coldPushes(bench, ["imgpack", fastest, ...pushers.slice(1)], {
        archive: "image",
        isEmpty: true,
        repository: () => "empty/image",
      }),
    targets: [
      against("cpu", "skopeo", 0.8),
      against("cpu", "crane", 0.5),
      against("wall", ["skopeo", "crane"], 0.7),
      against("sent", "skopeo", 0.98),
      peakTarget(),
    ],
  },
  {
    id: "push-packed",
    group: "packed",
    title: "Push the archive as .tar.gz, and from stdin, into an empty registry",
    needs: ["image"],
    isShort: false,
    isCounted: true,
    columns: ["cpu", "wall", "peak", "temp", "sent", "requests"],
    ratios: ["cpu", "wall", "sent"],
    rows: packedPushes,
    targets: [
      { ...against("wall", "skopeo", 0.7), text: "wall of .tar.gz against skopeo" },
      { ...against("wall", "skopeo", 0.7), text: "wall from stdin against skopeo", label: "imgpack stdin" },
      peakTarget(),
      peakTarget("imgpack stdin"),
      peakTarget("imgpack without --tag"),
      { text: "bytes in temp, .tar.gz", label: "imgpack", metric: "temp", limit: NO_BYTES },
      { text: "bytes in temp, stdin", label: "imgpack stdin", metric: "temp", limit: NO_BYTES },
    ],
  },
  {
    id: "push-warm",
    group: "push-warm",
    title: "Push it again to another repository, caches warm",
    needs: ["image"],
    isShort: false,
    isCounted: true,
    columns: ["cpu", "wall", "peak", "temp", "sent", "requests"],
    ratios: ["cpu", "wall"],
    rows: async bench => {
      await prime(bench);
      return rowsOf(bench, pushers, tool => ({
        label: tool.name,
        env: cacheEnv(bench, "warm"),
        prepare: async round =>
          tool.push(bench.archives.image, `${bench.registry.host()}/again${round}/${tool.name}:latest`),
      }));
    },
    targets: [{ ...against("wall", "skopeo", 0.1), text: "wall against skopeo's cold push", of: "push" }, peakTarget()],
  },
  {
    id: "push-same",
    group: "push-same",
    title: "Push it again to the same repository, caches cold",
    needs: ["image"],
    isShort: false,
    isCounted: true,
    columns: ["cpu", "wall", "peak", "temp", "sent", "requests"],
    ratios: ["cpu", "wall"],
    rows: async bench => {
      await prime(bench);
      return coldPushes(bench, pushers, { archive: "image", isEmpty: false, repository: tool => `first/${tool}` });
    },
    targets: [peakTarget()],
  },
  {
    id: "pull",
    group: "pull",
    title: "Pull the image into one archive",
    needs: ["image"],
    isShort: false,
    isCounted: true,
    columns: ["cpu", "wall", "peak", "temp", "received", "requests"],
    ratios: ["cpu", "wall"],
    rows: bench => pulls(bench, "image", pullers),
    targets: [against("wall", "crane", 1), against("wall", "skopeo", 0.3), against("wall", "curl", 1.5), peakTarget()],
  },
  {
    id: "hello-push",
    group: "hello",
    title: "Push the hello image, caches cold",
    needs: [],
    runs: 11,
    isShort: true,
    isCounted: true,
    columns: ["wall", "cpu", "peak", "requests"],
    ratios: ["wall"],
    rows: async bench => {
      await bench.registry.reset();
      bench.state.isPrimed = false;
      const repository = (/** @type {string} */ tool, /** @type {string} */ round) => `hello${round}/${tool}`;
      return coldPushes(bench, pushers, { archive: "hello", isEmpty: false, repository });
    },
    targets: [
      against("wall", "crane", 3),
      { text: "requests", label: "imgpack", metric: "requests", limit: 7 },
      peakTarget(),
    ],
  },
  {
    id: "hello-pull",
    group: "hello",
    title: "Pull the hello image",
    needs: [],
    runs: 11,
    isShort: true,
    isCounted: true,
    columns: ["wall", "cpu", "peak", "requests"],
    ratios: ["wall"],
    rows: bench => pulls(bench, "hello", ["imgpack", "crane", "skopeo", "oras"]),
    targets: [
      against("wall", "crane", 3),
      { text: "requests", label: "imgpack", metric: "requests", limit: 3 },
      peakTarget(),
    ],
  },
  {
    id: "start",
    group: "start",
    title: "Start",
    needs: [],
    runs: 15,
    isShort: true,
    isCounted: false,
    columns: ["wall", "cpu", "peak"],
    ratios: ["wall"],
    rows: async bench => [
      { label: "imgpack --version", prepare: async () => [process.execPath, bench.bin, "--version"] },
      { label: "node -e 0", prepare: async () => [process.execPath, "-e", "0"] },
    ],
    targets: [{ ...against("wall", "node -e 0", 2), label: "imgpack --version" }],
  },
  {
    id: "memory",
    group: "memory",
    title: "Memory of an image and of one four times as large",
    needs: ["image", "large"],
    runs: 1,
    isShort: false,
    isCounted: false,
    columns: ["peak", "wall", "cpu"],
    ratios: [],
    rows: async bench => memoryRows(bench),
    targets: [
      peakTarget("push image"),
      peakTarget("push large"),
      peakTarget("pull image"),
      peakTarget("pull large"),
      { text: "peak of the large push against the image's", ...sameAs("push") },
      { text: "peak of the large pull against the image's", ...sameAs("pull") },
    ],
  },
];
