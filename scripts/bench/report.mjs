// @ts-check
// Results as markdown.

import { createHash } from "node:crypto";
import { growthOf, medianOf, rangeOf, ratioOf } from "./measure.mjs";

/** @typedef {import("./measure.mjs").Metric} Metric */
/** @typedef {import("./measure.mjs").Results} Results */

const mib = (/** @type {number} */ bytes) => {
  const value = bytes / 2 ** 20;
  return value !== 0 && value < 10 ? value.toFixed(2) : value.toFixed(0);
};
const seconds = (/** @type {number} */ value) => (value < 1 ? value.toFixed(3) : value.toFixed(2));

/** @type {Record<Metric, { head: string, show: (value: number) => string }>} */
const metrics = {
  wall: { head: "wall s", show: seconds },
  cpu: { head: "CPU s", show: value => value.toFixed(2) },
  peak: { head: "peak MiB", show: mib },
  output: { head: "output MiB", show: mib },
  temp: { head: "temp MiB", show: mib },
  sent: { head: "sent MiB", show: mib },
  received: { head: "received MiB", show: mib },
  requests: { head: "requests", show: value => `${value}` },
};

/** @param {string[]} head @param {string[][]} rows @returns {string} the first column left, the others right */
export function table(head, rows) {
  const rule = head.map((_, index) => (index === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map(cells => `| ${cells.join(" | ")} |`).join("\n");
}

/**
 * @param {import("./scenarios.mjs").Scenario} scenario
 * @param {Map<string, Results>} all results by scenario
 * @returns {string}
 */
export function section(scenario, all) {
  const results = all.get(scenario.id) ?? new Map();
  const labels = [...results.keys()];
  const [first = ""] = labels;
  const head = [
    "",
    ...scenario.columns.map(metric => metrics[metric].head),
    ...scenario.ratios.map(metric => `${metrics[metric].head.split(" ")[0]} ratio`),
    ...(scenario.growths ?? []).map(metric => `${metrics[metric].head.split(" ")[0]} growth`),
  ];
  const rows = labels.map(label => [
    label,
    ...scenario.columns.map(metric => cell(results, label, metric)),
    ...scenario.ratios.map(metric => (label === first ? "" : shown(ratioOf(results, first, [label], metric), ratio))),
    ...(scenario.growths ?? []).map(metric => shown(growthOf(results, label, metric), ratio)),
  ]);
  const runs = results.get(first)?.length ?? 0;
  return [
    `## ${scenario.title}`,
    [`Median of ${runs} ${runs === 1 ? "run" : "runs"}.`, ...(scenario.note === undefined ? [] : [scenario.note])].join(
      " ",
    ),
    table(head, rows),
    ...(scenario.targets.length === 0 ? [] : [targetTable(scenario, all)]),
  ].join("\n\n");
}

/** With the reason below, where one is missed. @param {import("./scenarios.mjs").Scenario} scenario @param {Map<string, Results>} all */
function targetTable({ id, targets }, all) {
  const rows = targets.map(target => targetRow(target, id, all));
  const reasons = targets.flatMap(({ text, why }, index) =>
    rows[index]?.at(-1) === MISSED && why !== undefined ? [`- Why ${text} is missed: ${why}`] : [],
  );
  const shown = table(["target", "limit", "measured", ""], rows);
  return reasons.length === 0 ? shown : `${shown}\n\n${reasons.join("\n")}`;
}

/** The median; of times also the least and the most. @param {Results} results @param {string} label @param {Metric} metric */
function cell(results, label, metric) {
  const { show } = metrics[metric];
  const middle = shown(medianOf(results, label, metric), show);
  const range = metric === "wall" || metric === "cpu" ? rangeOf(results, label, metric) : undefined;
  return range === undefined ? middle : `${middle} (${range.map(show).join("–")})`;
}

/** What moves images, other than imgpack itself. @param {string} label */
export const isPeer = label => !/^imgpack|^(curl|node -e 0|sha256sum|sha256 in Node, .*|cp, .*)$/.test(label);

/**
 * Where imgpack leads, and where not: its medians against those of the best peer.
 * @param {import("./scenarios.mjs").Scenario[]} scenarios
 * @param {Map<string, Results>} all results by scenario
 */
export function summary(scenarios, all) {
  const rows = scenarios.flatMap(({ id, title }) => {
    const results = all.get(id);
    const labels = [...(results?.keys() ?? [])];
    const [first = ""] = labels;
    if (results === undefined || !labels.some(isPeer)) return [];
    return [[title, .../** @type {const} */ (["wall", "cpu", "peak"]).map(metric => standing(results, first, metric))]];
  });
  if (rows.length === 0) return "";
  return [
    "## Where imgpack leads, and where not",
    `imgpack's figure divided by that of the best peer, whose name follows. Below 1, imgpack leads. curl is no peer: it knows
nothing of images.`,
    table(["", "wall", "CPU", "peak memory"], rows),
  ].join("\n\n");
}

/** @param {Results} results @param {string} label @param {Metric} metric */
function standing(results, label, metric) {
  const peers = [...results.keys()]
    .filter(isPeer)
    .flatMap(peer => {
      const value = medianOf(results, peer, metric);
      return value === undefined ? [] : [{ peer, value }];
    })
    .sort((a, b) => a.value - b.value);
  const [best] = peers;
  const found = best === undefined ? undefined : ratioOf(results, label, [best.peer], metric);
  if (best === undefined || found === undefined) return "–";
  return `${found < 1 ? `**${ratio(found)}**` : ratio(found)} ${best.peer}`;
}

/** The whole document, and the hash of it: a test sees an edit by hand. @param {string[]} sections */
export function document(sections) {
  const text = `${sections.filter(part => part !== "").join("\n\n")}\n`;
  return `${text}\n<!-- made by npm run bench; sha256 of what is above: ${createHash("sha256").update(text).digest("hex")} -->\n`;
}

const MISSED = "**missed**";

const ratio = (/** @type {number} */ value) => value.toFixed(2);

/** @param {number | undefined} value @param {(value: number) => string} show */
const shown = (value, show) => (value === undefined ? "–" : show(value));

/**
 * @param {import("./targets.mjs").Target} target
 * @param {string} id
 * @param {Map<string, Results>} all
 */
function targetRow(target, id, all) {
  const results = all.get(id) ?? new Map();
  const isRatio = target.against !== undefined || target.isGrowth === true;
  const value = measured(target, results, all);
  const { show } = isRatio ? { show: ratio } : metrics[target.metric];
  const unit = target.metric === "peak" && !isRatio ? " MiB" : "";
  const verdict = value === undefined ? "not measured" : value <= target.limit ? "met" : MISSED;
  return [
    target.text,
    `≤ ${isRatio ? Number(target.limit.toFixed(2)) : show(target.limit)}${unit}`,
    shown(value, show),
    verdict,
  ];
}

/** @param {import("./targets.mjs").Target} target @param {Results} results @param {Map<string, Results>} all */
function measured(target, results, all) {
  if (target.isGrowth === true) return growthOf(results, target.label, target.metric);
  return target.against === undefined
    ? medianOf(results, target.label, target.metric)
    : ratioAgainst(target, results, all);
}

/**
 * @param {import("./targets.mjs").Target} target
 * @param {Results} results
 * @param {Map<string, Results>} all
 */
function ratioAgainst(target, results, all) {
  if (target.of === undefined) return ratioOf(results, target.label, target.against ?? [], target.metric);
  // Runs of two scenarios are no neighbours: medians against each other.
  const others = (target.against ?? []).flatMap(
    label => medianOf(all.get(target.of ?? "") ?? new Map(), label, target.metric) ?? [],
  );
  const own = medianOf(results, target.label, target.metric);
  return own === undefined || others.length === 0 ? undefined : own / Math.min(...others);
}
