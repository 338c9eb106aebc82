// @ts-check
// Results as markdown.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { growthOf, medianOf, rangeOf, ratioOf } from "./measure.mjs";
import { compressions } from "./tools.mjs";

/** @typedef {import("./measure.mjs").Metric} Metric */
/** @typedef {import("./measure.mjs").Results} Results */

/** Asked before the run makes it. */
const [load = 0] = loadavg();

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

/** @param {import("./scenarios.mjs").Scenario} scenario @param {Map<string, Results>} all */
function targetTable({ id, targets }, all) {
  return table(
    ["target", "limit", "measured", ""],
    targets.map(target => targetRow(target, id, all)),
  );
}

/** The median; of times also the least and the most. @param {Results} results @param {string} label @param {Metric} metric */
function cell(results, label, metric) {
  const { show } = metrics[metric];
  const middle = shown(medianOf(results, label, metric), show);
  const range = metric === "wall" || metric === "cpu" ? rangeOf(results, label, metric) : undefined;
  return range === undefined ? middle : `${middle} (${range.map(show).join("–")})`;
}

/** What moves images, other than imgpack itself. @param {string} label */
const isPeer = label => !/^imgpack|^(curl|node -e 0|sha256sum|sha256 in Node, .*|cp, .*)$/.test(label);

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
  const verdict = value === undefined ? "not measured" : value <= target.limit ? "met" : "**missed**";
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
  const names = [...tools]
    .filter(({ name }) => !(name in compressions))
    .map(({ name, version }) => `${name} ${version}`);
  return [
    "# Benchmarks",
    `imgpack and its peers side by side in one run, made by\n\n\`\`\`\n${command}\n\`\`\``,
    [
      `- Machine: ${processors[0]?.model.trim() ?? "unknown processor"}, ${processors.length} cores, ${memory} GiB; ${type()} ${release()}; Node ${process.versions.node}`,
      `- Processor features: ${features()}. sha256 takes three to four times as long without SHA-NI.`,
      `- Load before the run: ${load.toFixed(1)} (processes that run or wait for a core); more than 0.5 makes the figures worse`,
      `- Measured: ${names.join(", ")}`,
      `- Not found: ${missing.length === 0 ? "none" : missing.join(", ")}`,
      ...archives.map(line => `- ${line}`),
      ...skipped.map(line => `- Skipped: ${line}`),
    ].join("\n"),
    `The tools take turns (A B C A B C). Cells are medians, with the least and the most of times in parentheses. A ratio is
imgpack's value (the first row) divided by that of the row; it is calculated for each run, and the cell is the median.
CPU, peak memory and written storage come from GNU time; "temp" is what was written in addition to the output. A proxy
counts requests and body bytes in a separate pass. The registry is docker-registry on the loopback interface of the same
machine. It is not part of any figure, but it uses the same cores. Node runs without NODE_EXTRA_CA_CERTS and NODE_OPTIONS.`,
  ].join("\n\n");
}

/** The ones that decide how fast hashing and compression are. */
function features() {
  let flags = /** @type {string[]} */ ([]);
  try {
    flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" ") ?? [];
  } catch {
    return "unknown";
  }
  const names = { "SHA-NI": ["sha_ni", "sha2"], AES: ["aes"], AVX2: ["avx2"], "AVX-512": ["avx512f"] };
  return Object.entries(names)
    .map(([name, spellings]) => `${spellings.some(flag => flags.includes(flag)) ? "" : "no "}${name}`)
    .join(", ");
}
