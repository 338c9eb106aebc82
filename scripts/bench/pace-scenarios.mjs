// @ts-check
// How many transfers at once, as data.
import { FAR_MS, FIXED, MEDIUM, paceRows, SMALL } from "./pace.mjs";
import { against, peakTarget } from "./targets.mjs";

/** @typedef {import("./scenarios.mjs").Scenario} Scenario */

/** @type {Pick<Scenario, "group" | "needs" | "isShort" | "isCounted" | "columns" | "ratios">} */
const pace = {
  ...{ group: "pace", needs: [], isShort: false, isCounted: false },
  ...{ columns: ["wall", "cpu", "peak"], ratios: ["wall", "cpu"] },
};

const few = `${SMALL.images} images of ${SMALL.layers} small layers each`;
const verbs = /** @type {const} */ (["pull", "push", "copy"]);

/** @type {Scenario[]} */
export const paceScenarios = [
  ...verbs.map(verb => ({
    ...pace,
    id: `pace-far-${verb}`,
    title: `${verb}, ${few}, over a link with a round trip of ${FAR_MS} ms`,
    rows: (/** @type {import("./rows.mjs").Bench} */ bench) => paceRows(bench, verb, SMALL, FAR_MS),
    targets: [against("wall", FIXED, 0.5), peakTarget()],
  })),
  ...verbs.map(verb => ({
    ...pace,
    runs: 3,
    id: `pace-near-${verb}`,
    title: `${verb}, ${few}, over the loopback interface`,
    rows: (/** @type {import("./rows.mjs").Bench} */ bench) => paceRows(bench, verb, SMALL, 0),
    targets: [against("wall", FIXED, 1.05), against("cpu", FIXED, 1.05), peakTarget()],
  })),
  ...verbs.map(verb => ({
    ...pace,
    runs: 2,
    id: `pace-bytes-${verb}`,
    title: `${verb}, ${MEDIUM.images} images of ${MEDIUM.layers} layers of 8 MiB each, over the loopback interface`,
    rows: (/** @type {import("./rows.mjs").Bench} */ bench) => paceRows(bench, verb, MEDIUM, 0),
    targets: [against("wall", FIXED, 1.05), against("cpu", FIXED, 1.05), peakTarget()],
  })),
];
