// @ts-check
import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { findTool } from "../fixtures/processes.mjs";

/**
 * @typedef {object} Row one thing measured
 * @property {string} label
 * @property {(round: string) => Promise<string[]>} prepare makes the state a run needs and gives the command
 * @property {NodeJS.ProcessEnv} [env]
 * @property {string} [output] file or folder the command writes; removed before each run
 * @property {import("./registry.mjs").Registry["count"]} [count] of a registry that counts the requests of timed runs by itself
 */

/**
 * Seconds and bytes. `output` is the storage of the output, `temp` what is written beyond it. sent, received and requests come from the counting
 * pass, the rest from the timed runs.
 * @typedef {"wall" | "cpu" | "peak" | "output" | "temp" | "sent" | "received" | "requests"} Metric
 * @typedef {Partial<Record<Metric, number>>} Sample
 * @typedef {Map<string, Sample[]>} Results samples by label; those at one position ran next to each other
 */

/**
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {Row[]} rows
 * @param {{ runs: number, isShort: boolean, registry?: import("./registry.mjs").Registry | undefined }} plan rows of a short
 *   scenario are timed without GNU time, which counts in hundredths of a second, and once more with it;
 *   a registry asks for the counting pass, which is also the warm-up
 * @param {(label: string, error: unknown) => void} onFailed is called with a peer that fails; it has no results then
 * @returns {Promise<Results>}
 */
export async function measureRows(workspace, rows, { runs, isShort, registry }, onFailed) {
  /** @type {Map<string, Sample>} */
  const counted = new Map();
  /** @type {Results} */
  const results = new Map(rows.map(row => [row.label, []]));
  const attempt = async (/** @type {Row} */ row, /** @type {() => Promise<void>} */ work) => {
    if (!results.has(row.label)) return;
    try {
      await work();
    } catch (error) {
      if (row.label.startsWith("imgpack")) throw error;
      results.delete(row.label);
      onFailed(row.label, error);
    }
  };
  for (const row of rows) {
    await attempt(row, async () => {
      const argv = await prepare(row, "count");
      const work = () => workspace.run(argv, { env: row.env ?? {} });
      if (row.count !== undefined) return;
      if (registry !== undefined) counted.set(row.label, await registry.count(work));
      else if (isShort) await work();
    });
  }
  for (let round = 1; round <= runs; round++) {
    for (const row of rows) {
      await attempt(row, async () => {
        const argv = await prepare(row, `${round}`);
        const sample = /** @type {Sample} */ ({});
        const work = async () => void Object.assign(sample, await timed(workspace, row, argv));
        // A registry that counts by itself costs the row nothing.
        if (row.count === undefined) await work();
        else Object.assign(sample, await row.count(work));
        if (isShort) sample.wall = await wallSeconds(workspace, row, await prepare(row, `${round}w`));
        results.get(row.label)?.push({ ...counted.get(row.label), ...sample });
      });
    }
  }
  for (const row of rows) if (row.output !== undefined) await remove(row.output);
  return results;
}

/** @param {Row} row @param {string} round */
async function prepare(row, round) {
  if (row.output !== undefined) await remove(row.output);
  return await row.prepare(round);
}

/**
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {Row} row
 * @param {string[]} argv
 * @returns {Promise<Sample>}
 */
async function timed(workspace, row, argv) {
  const time = findTool("time");
  if (time === undefined) throw new Error("Cannot measure: no GNU time found, expected the program time on PATH");
  const file = join(workspace.folder, "time.txt");
  // What the run before left unwritten would be this one's burden, imgpack's most of all: it syncs its output.
  await workspace.run(["sync"]);
  await workspace.run([time, "-f", "%e %U %S %M %O", "-o", file, ...argv], { env: row.env ?? {} });
  const [wall = 0, user = 0, system = 0, peakKiB = 0, blocks = 0] = (await readFile(file, "utf8"))
    .split(" ")
    .map(Number);
  const kept = row.output === undefined ? 0 : await storedBytes(row.output);
  const written = { output: kept, temp: Math.max(0, blocks * 512 - kept) };
  return { wall, cpu: user + system, peak: peakKiB * 1024, ...written };
}

/**
 * @param {import("./workspace.mjs").Workspace} workspace
 * @param {Row} row
 * @param {string[]} argv
 */
async function wallSeconds(workspace, row, argv) {
  const start = performance.now();
  await workspace.run(argv, { env: row.env ?? {} });
  return (performance.now() - start) / 1000;
}

/** @param {string} path @returns {Promise<number>} bytes of storage that a file or folder takes */
async function storedBytes(path) {
  const entry = await lstat(path);
  let bytes = entry.blocks * 512;
  if (entry.isDirectory()) {
    for (const name of await readdir(path)) bytes += await storedBytes(join(path, name));
  }
  return bytes;
}

/** @param {Results} results @param {string} label @param {Metric} metric @returns {number | undefined} */
export function medianOf(results, label, metric) {
  return median((results.get(label) ?? []).map(sample => sample[metric]));
}

/** @param {Results} results @param {string} label @param {Metric} metric @returns {[least: number, most: number] | undefined} */
export function rangeOf(results, label, metric) {
  const values = (results.get(label) ?? []).flatMap(sample => sample[metric] ?? []);
  return values.length < 2 ? undefined : [Math.min(...values), Math.max(...values)];
}

/**
 * The median of the ratios of runs that were neighbours: what slows the machine for a minute slows both.
 * @param {Results} results
 * @param {string} label
 * @param {string[]} others the smallest of them counts
 * @param {Metric} metric
 * @returns {number | undefined} undefined when either was not measured
 */
export function ratioOf(results, label, others, metric) {
  const columns = others.map(other => results.get(other) ?? []);
  return median(
    (results.get(label) ?? []).map((sample, round) => {
      const own = sample[metric];
      const theirs = columns.flatMap(samples => samples[round]?.[metric] ?? []);
      const least = Math.min(...theirs);
      // Nothing sent or no tick of CPU: no ratio to that.
      return own === undefined || theirs.length === 0 || least === 0 ? undefined : own / least;
    }),
  );
}

/**
 * How a figure grows with the number at the end of labels, such as "lock, 10,000 images": 1 is linear, 2 quadratic.
 *
 * @param {Results} results
 * @param {string} label
 * @param {Metric} metric
 * @returns {number | undefined} undefined if nothing smaller was measured
 */
export function growthOf(results, label, metric) {
  const size = sizeOf(label);
  const smaller = [...results.keys()].filter(other => {
    const { what, unit, count } = sizeOf(other);
    return what === size.what && unit === size.unit && count < size.count;
  });
  const [from = ""] = smaller.sort((a, b) => sizeOf(b).count - sizeOf(a).count);
  const [least, most] = [medianOf(results, from, metric), medianOf(results, label, metric)];
  if (!least || !most) return undefined;
  return Math.log(most / least) / Math.log(size.count / sizeOf(from).count);
}

/** @param {string} label */
function sizeOf(label) {
  const [, what = label, digits = "0", unit = ""] = /^(.*), ([\d,]+) (\w+)$/.exec(label) ?? [];
  return { what, unit, count: Number(digits.replaceAll(",", "")) };
}

/** @param {(number | undefined)[]} values */
function median(values) {
  const sorted = values.filter(value => value !== undefined).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : mean(sorted[middle - 1], sorted[middle]);
}

/** @param {number | undefined} low @param {number | undefined} high */
function mean(low, high) {
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
