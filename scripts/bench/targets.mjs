// @ts-check
// What the figures are held against.

/** @typedef {import("./measure.mjs").Metric} Metric */

/**
 * @typedef {object} Target
 * @property {string} text
 * @property {string} label the row that is held against the limit
 * @property {Metric} metric
 * @property {string[]} [against] rows; the limit is a ratio to the smallest of them
 * @property {string} [of] the scenario those rows are in, default the same
 * @property {boolean} [isGrowth] the limit is one of the growth from the next smaller size
 * @property {number} limit
 * @property {string} [why] a sentence for the page of a run that misses it: where the time or the memory goes
 */

const peakBytes = 200 * 2 ** 20;
export const pullPeakBytes = 120 * 2 ** 20;
/** The digest cache is written too: a block or two of the file system. */
export const NO_BYTES = 64 * 2 ** 10;
/** @type {(label?: string, limit?: number) => Target} */
export const peakTarget = (label = "imgpack", limit = peakBytes) => ({
  ...{ text: `peak memory, ${label}`, label, metric: "peak", limit },
});
/** @type {Partial<Record<Metric, string>>} */
const words = { cpu: "CPU", sent: "bytes sent", output: "bytes on the medium" };
/** @type {(metric: Metric, peer: string | string[], limit: number, label?: string) => Target} */
export const against = (metric, peer, limit, label = "imgpack") => ({
  text: `${words[metric] ?? metric} of ${label} against ${typeof peer === "string" ? peer : "the better peer"}`,
  label,
  metric,
  against: [peer].flat(),
  limit,
});

/** Allocators make a peak vary by some percent. @type {(verb: string) => Omit<Target, "text">} */
export const sameAs = verb => ({ label: `${verb} large`, metric: "peak", against: [`${verb} image`], limit: 1.1 });

/** @type {Target[]} */
export const pullTargets = [
  against("wall", "crane", 1),
  against("wall", "oras", 1),
  against("cpu", "crane", 1.3),
  peakTarget("imgpack", pullPeakBytes),
];
