// @ts-check
// A bundle of images over an air gap, as data: what is measured and held against targets.
import { bundleChecks, CHANGED, firstDelivery, IMAGES, secondDelivery } from "./bundle.mjs";
import { against, peakTarget } from "./targets.mjs";

/** The journal of what is written. */
const JOURNAL_BYTES = 2 ** 20;
const peers = ["crane", "oras", "skopeo sync, tar", "layout, tar.zst"];
/** @type {Pick<import("./scenarios.mjs").Scenario, "group" | "needs" | "runs" | "isShort" | "isCounted">} */
const bundle = { group: "bundle", needs: [], runs: 3, isShort: false, isCounted: true };
/** @type {Pick<import("./scenarios.mjs").Scenario, "columns" | "ratios">} */
const delivery = {
  columns: ["wall", "cpu", "peak", "output", "temp", "received", "requests"],
  ratios: ["wall", "cpu", "output"],
};

/** @param {number} wall @param {number} output limits of the ratios to the best peer */
const deliveryTargets = (wall, output) => [
  against("wall", peers, wall),
  against("output", peers, output),
  { text: "bytes in temp", label: "imgpack", metric: /** @type {const} */ ("temp"), limit: JOURNAL_BYTES },
  peakTarget(),
];

/** @type {import("./scenarios.mjs").Scenario[]} */
export const bundleScenarios = [
  {
    ...bundle,
    ...delivery,
    id: "bundle-first",
    title: `The first delivery of a bundle: ${IMAGES} images of one repository into one file`,
    note: `skopeo sync writes a folder per image, which tar packs. "layout, tar.zst" is the method of hauler: an OCI layout for all
images (by oras), packed and compressed.`,
    rows: firstDelivery,
    targets: deliveryTargets(1, 1.01),
  },
  {
    ...bundle,
    ...delivery,
    id: "bundle-second",
    title: `The second delivery: ${CHANGED} of the ${IMAGES} images have another last layer`,
    note: "imgpack pulls with --base; the others have no such thing, and carry all of it again.",
    rows: secondDelivery,
    targets: deliveryTargets(0.3, 0.1),
  },
  {
    ...bundle,
    isCounted: false,
    id: "bundle-verify",
    title: "Check the bundle on its medium",
    note: "sha256sum says whether a file is as it was; imgpack also says what is damaged, and what is not.",
    columns: ["wall", "cpu", "peak"],
    ratios: ["wall", "cpu"],
    rows: bundleChecks,
    targets: ["imgpack verify", "imgpack verify of volumes"].flatMap(label => [
      against("wall", "sha256sum", 1 / 0.9, label),
      peakTarget(label),
    ]),
  },
];
