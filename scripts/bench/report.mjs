// @ts-check
// Results as markdown.

import { cpus, release, totalmem, type } from "node:os";
import { medianOf, ratioOf } from "./measure.mjs";
import { fastest } from "./tools.mjs";

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
  ];
  const rows = labels.map(label => [
    label,
    ...scenario.columns.map(metric => shown(medianOf(results, label, metric), metrics[metric].show)),
    ...scenario.ratios.map(metric => (label === first ? "" : shown(ratioOf(results, first, [label], metric), ratio))),
  ]);
  const runs = results.get(first)?.length ?? 0;
  return [
    `## ${scenario.title}`,
    `Median of ${runs} ${runs === 1 ? "run" : "runs"}.`,
    table(head, rows),
    table(
      ["target", "limit", "measured", ""],
      scenario.targets.map(target => targetRow(target, scenario.id, all)),
    ),
  ].join("\n\n");
}

const ratio = (/** @type {number} */ value) => value.toFixed(2);

/** @param {number | undefined} value @param {(value: number) => string} show */
const shown = (value, show) => (value === undefined ? "–" : show(value));

/**
 * @param {import("./scenarios.mjs").Target} target
 * @param {string} id
 * @param {Map<string, Results>} all
 */
function targetRow(target, id, all) {
  const results = all.get(id) ?? new Map();
  const isRatio = target.against !== undefined;
  const value = isRatio ? ratioAgainst(target, results, all) : medianOf(results, target.label, target.metric);
  const { show } = isRatio ? { show: ratio } : metrics[target.metric];
  const unit = target.metric === "peak" && !isRatio ? " MiB" : "";
  const verdict = value === undefined ? "not measured" : value <= target.limit ? "met" : "**missed**";
  return [target.text, `≤ ${isRatio ? target.limit : show(target.limit)}${unit}`, shown(value, show), verdict];
}

/**
 * @param {import("./scenarios.mjs").Target} target
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

/**
 * @param {object} facts
 * @param {string} facts.command
 * @param {Iterable<import("./tools.mjs").Tool>} facts.tools
 * @param {string[]} facts.missing
 * @param {string[]} facts.archives one line each
 * @param {string[]} facts.skipped
 * @returns {string}
 */
export function introduction({ command, tools, missing, archives, skipped }) {
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const names = [...tools].filter(({ name }) => name !== fastest).map(({ name, version }) => `${name} ${version}`);
  return [
    "# Benchmarks",
    `imgpack and its peers side by side in one run, made by\n\n\`\`\`\n${command}\n\`\`\``,
    [
      `- Machine: ${processors[0]?.model.trim() ?? "unknown processor"}, ${processors.length} cores, ${memory} GiB; ${type()} ${release()}; Node ${process.versions.node}`,
      `- Measured: ${names.join(", ")}`,
      `- Not found: ${missing.length === 0 ? "none" : missing.join(", ")}`,
      ...archives.map(line => `- ${line}`),
      ...skipped.map(line => `- Skipped: ${line}`),
    ].join("\n"),
    `The tools take turns (A B C A B C). Cells are medians; a ratio is imgpack's value (the first row's) divided by the
row's, taken run by run, then the median. CPU, peak memory and storage written are GNU time's; temp is what was written
beyond the output. Requests and bytes of bodies are counted by a proxy in a pass of its own. The registry is
docker-registry on the loopback of the same machine, not part of any figure but a user of the same cores. Node runs
without NODE_EXTRA_CA_CERTS and NODE_OPTIONS.`,
  ].join("\n\n");
}
