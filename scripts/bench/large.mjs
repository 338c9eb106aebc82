// @ts-check
// Large numbers on the side of the registry, from a synthetic one: it holds no data, and is no part of the figures.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { cacheEnv } from "./rows.mjs";
import { startSynthetic } from "./synthetic.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./rows.mjs").Bench} Bench */

/** What is measured at both sizes is held against itself. */
export const SIZES = /** @type {const} */ ([1000, 10_000]);

/**
 * The label of a row of which there are several sizes.
 *
 * @param {string} what @param {number} count @param {string} unit
 */
export const sized = (what, count, unit = "images") => `${what}, ${count.toLocaleString("en")} ${unit}`;

/** Tiny images, in a repository each. @param {Bench} bench @returns {Promise<Row[]>} */
export async function registryRows(bench) {
  const all = [];
  for (const count of SIZES) all.push(await tinyRows(bench, count));
  return all.flat();
}

/** @param {Bench} bench @param {number} count @returns {Promise<Row[]>} */
async function tinyRows(bench, count) {
  const { folder, run } = bench.workspace;
  const registry = await startSynthetic(bench, { repositories: count });
  const list = join(folder, `large-${count}.txt`);
  const lock = join(folder, `large-${count}.lock`);
  const output = join(folder, "large-out");
  const lines = Array.from(
    { length: count },
    (_, number) => `synthetic/app-${String(number).padStart(5, "0")}:1.00000`,
  );
  await writeFile(list, lines.map(line => `${registry.host}/${line}\n`).join(""));
  const env = cacheEnv(bench, `large-${count}`);
  const imgpack = [process.execPath, bench.bin];
  await run([...imgpack, "lock", "-f", list, "-o", lock], { env });
  /** @param {string} what @param {string[]} words @param {boolean} [hasOutput] @returns {Row} */
  const row = (what, words, hasOutput = false) => ({
    label: sized(what, count),
    env,
    count: registry.count,
    ...(hasOutput ? { output } : {}),
    prepare: async () => {
      await remove(join(folder, `large-${count}`));
      return [...imgpack, ...words];
    },
  });
  return [
    row("lock", ["lock", "-f", list, "-o", output], true),
    row("pull --dry-run", ["pull", "-f", list, "-o", output, "--dry-run"]),
    row("pull --dry-run of the lock", ["pull", "-f", lock, "-o", output, "--dry-run"]),
    row("pull", ["pull", "-f", list, "-o", output], true),
  ];
}
