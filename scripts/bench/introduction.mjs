// @ts-check
// What stands before the tables of a page: where and how they were measured. Each sentence is true of the rows of that page.
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { isPeer } from "./report.mjs";
import { compressions } from "./tools.mjs";

/** @typedef {import("./measure.mjs").Results} Results */
/** @typedef {import("./scenarios.mjs").Scenario} Scenario */

/** Asked before the run makes it. */
const [load = 0] = loadavg();

/** Of pages with one group. @type {Readonly<Record<string, string>>} */
const TITLES = {
  bundle: "Benchmarks: bundles for an air gap",
  large: "Benchmarks: many images, large archives",
  pace: "Benchmarks: transfers at once",
};

const APART = "on the same machine. They are not part of any figure, but they use the same cores.";
const COUNTED = "A proxy counts requests and body bytes in a separate pass.";
/** Of pages with one group; each other one has docker-registry. @type {Readonly<Record<string, string>>} */
const REGISTRIES = {
  large: `The registries are synthetic: they calculate each answer, store no data, count requests and body bytes by themselves,
and run ${APART}`,
  pace: `Small layers come from a synthetic registry, which stores no data, and layers of 8 MiB from docker-registry. Both run
${APART} A proxy adds the round trip.`,
};
const DOCKER_REGISTRY = `The registry is docker-registry on the loopback interface of the same
machine. It is not part of any figure, but it uses the same cores.`;

/**
 * @param {object} facts
 * @param {string} facts.command
 * @param {Iterable<import("./tools.mjs").Tool>} facts.tools
 * @param {string[]} facts.missing
 * @param {string[]} facts.archives one line each
 * @param {string[]} facts.skipped
 * @param {readonly Scenario[]} facts.measured
 * @param {ReadonlyMap<string, Results>} facts.all results by scenario
 * @returns {string}
 */
export function introduction({ command, tools, missing, archives, skipped, measured, all }) {
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const labels = labelsOf(measured, all);
  const isCompared = labels.some(isPeer);
  const names = [...tools]
    .filter(({ name }) => !(name in compressions) && (isCompared || labels.some(label => label.startsWith(name))))
    .map(({ name, version }) => `${name} ${version}`);
  return [
    heading(measured, all, command),
    [
      `- Machine: ${processors[0]?.model.trim() ?? "unknown processor"}, ${processors.length} cores, ${memory} GiB; ${type()} ${release()}; Node ${process.versions.node}`,
      `- Processor features: ${features()}. sha256 takes three to four times as long without SHA-NI.`,
      `- Load before the run: ${load.toFixed(1)} (processes that run or wait for a core); more than 0.5 makes the figures worse`,
      `- Measured: ${names.join(", ")}`,
      ...(isCompared ? [`- Not found: ${missing.length === 0 ? "none" : missing.join(", ")}`] : []),
      ...archives.map(line => `- ${line}`),
      ...skipped.map(line => `- Skipped: ${line}`),
    ].join("\n"),
    explanation(measured, all),
  ].join("\n\n");
}

/** Title and command. @param {readonly Scenario[]} measured @param {ReadonlyMap<string, Results>} all @param {string} command */
export function heading(measured, all, command) {
  const what = labelsOf(measured, all).some(isPeer) ? "imgpack and its peers side by side" : "imgpack, without peers,";
  return `# ${TITLES[groupOf(measured)] ?? "Benchmarks"}\n\n${what} in one run, made by\n\n\`\`\`\n${command}\n\`\`\``;
}

/** How to read the tables. @param {readonly Scenario[]} measured @param {ReadonlyMap<string, Results>} all */
export function explanation(measured, all) {
  const group = groupOf(measured);
  const runs = measured.map(({ id }) => Math.max(0, ...[...(all.get(id)?.values() ?? [])].map(({ length }) => length)));
  const isRepeated = runs.some(count => count > 1);
  const columns = measured.flatMap(({ columns }) => columns);
  const firsts = measured.flatMap(({ id, ratios }) =>
    ratios.length === 0 ? [] : [...(all.get(id)?.keys() ?? [])].slice(0, 1),
  );
  const [own = ""] = firsts.filter(label => label.startsWith("imgpack --"));
  const ratio =
    own === ""
      ? "A ratio is imgpack's value (the first row) divided by that of the row"
      : `A ratio is the value of the first row, \`${own}\`, divided by that of the row: above 1, the row is better`;
  return [
    isRepeated
      ? "The commands take turns (A B C A B C). Cells are medians, and cells of several runs have the least and the most of times in parentheses."
      : "Each cell is of one run.",
    ...(firsts.length === 0 ? [] : [`${ratio}. It is calculated for each run, and the cell is the median.`]),
    ...(columns.includes("temp")
      ? [
          'CPU, peak memory and written storage come from GNU time; "temp" is what was written in addition to the output.',
        ]
      : ["CPU and peak memory come from GNU time."]),
    ...(group !== "large" && columns.includes("requests") ? [COUNTED] : []),
    REGISTRIES[group] ?? DOCKER_REGISTRY,
    "Node runs without NODE_EXTRA_CA_CERTS and NODE_OPTIONS.",
  ]
    .join(" ")
    .replaceAll(/\s+/g, " ");
}

/** Empty if there are several. @param {readonly Scenario[]} measured */
function groupOf(measured) {
  const [group = "", ...others] = new Set(measured.map(scenario => scenario.group));
  return others.length === 0 ? group : "";
}

/** @param {readonly Scenario[]} measured @param {ReadonlyMap<string, Results>} all */
function labelsOf(measured, all) {
  return measured.flatMap(({ id }) => [...(all.get(id)?.keys() ?? [])]);
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
