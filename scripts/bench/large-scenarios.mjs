// @ts-check
// Large numbers, as data: what is measured at two sizes, and how it grows from one to the other.
import { registryRows } from "./large.mjs";

/** @typedef {import("./scenarios.mjs").Scenario} Scenario */

/** @type {Pick<Scenario, "group" | "needs" | "runs" | "isShort" | "isCounted" | "columns" | "ratios" | "growths">} */
export const large = {
  ...{ group: "large", needs: [], runs: 2, isShort: false, isCounted: true, ratios: [] },
  columns: ["cpu", "wall", "peak", "received", "requests"],
  growths: ["cpu", "wall"],
};

/** @type {Scenario[]} */
export const largeScenarios = [
  {
    ...large,
    id: "large-registry",
    title: "Many images of a registry",
    note: "A growth of 1 is linear, and 2 is quadratic.",
    rows: registryRows,
    targets: [],
  },
];
