// @ts-check
// Many images on the side of the registry, from a synthetic one: it holds no data, and is no part of the figures.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { cacheEnv } from "./rows.mjs";
import { startSynthetic } from "./synthetic.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./rows.mjs").Bench} Bench */
/** @typedef {import("./synthetic.mjs").Synthetic} Synthetic */
/** @typedef {Partial<import("../../test/support/synthetic/synthetic-shape.ts").SyntheticShape>} Shape */

/** What is measured at both sizes is held against itself. */
export const SIZES = /** @type {const} */ ([1000, 10_000]);

/** @type {Shape} */
const WIDE = { layers: 24, sharedLayers: 6, bases: 20 };
/** Layers, configs and manifests of 1,000 images of that shape. */
export const BLOBS = 1000 * (24 - 6 + 2) + 6 * 20;
const TAGS = 100_000;

/**
 * The label of a row of which there are several sizes.
 *
 * @param {string} what @param {number} count @param {string} [unit]
 */
export const sized = (what, count, unit = "images") => `imgpack ${what}, ${count.toLocaleString("en")} ${unit}`;

/** @param {number} number */
const nameOf = number => `synthetic/app-${String(number).padStart(5, "0")}`;

/** Tiny images, in a repository each. @param {Bench} bench @returns {Promise<Row[]>} */
export async function registryRows(bench) {
  const all = [];
  for (const count of SIZES) {
    const { row, list, lock, output, target } = await filled(bench, { repositories: count });
    all.push(
      row("lock", ["lock", "-f", list, "-o", output]),
      row("pull --dry-run", ["pull", "-f", list, "-o", output, "--dry-run"]),
      row("pull --dry-run of the lock", ["pull", "-f", lock, "-o", output, "--dry-run"]),
      row("pull of the lock", ["pull", "-f", lock, "-o", output]),
      row("copy --dry-run of the lock", ["copy", "-f", lock, "--to", target.host, "--dry-run"]),
    );
  }
  return all;
}

/** @param {Bench} bench @returns {Promise<Row[]>} */
export async function wideRows(bench) {
  const [count] = SIZES;
  const { row, list, lock, output, target } = await filled(bench, { repositories: count, ...WIDE });
  const archive = join(bench.workspace.folder, "large-wide.tar");
  await bench.workspace.run([process.execPath, bench.bin, "pull", "-f", lock, "-o", archive]);
  return [
    row("lock", ["lock", "-f", list, "-o", output]),
    row("pull --dry-run", ["pull", "-f", list, "-o", output, "--dry-run"]),
    row("pull --dry-run of the lock", ["pull", "-f", lock, "-o", output, "--dry-run"]),
    row("pull of the lock", ["pull", "-f", lock, "-o", output]),
    row("copy --dry-run of the lock", ["copy", "-f", lock, "--to", target.host, "--dry-run"]),
    row("copy of the lock", ["copy", "-f", lock, "--to", target.host], target),
    row("push --dry-run", ["push", archive, "--to", target.host, "--dry-run"], target),
    row("push", ["push", archive, "--to", target.host], target),
  ];
}

/** @param {Bench} bench @returns {Promise<Row[]>} */
export async function longRows(bench) {
  const tagged = await rowsFor(bench, { tagsPerRepository: TAGS });
  const listed = await rowsFor(bench, { repositories: SIZES[1] });
  const long = await rowsFor(bench, { manifestBytes: 4 * 2 ** 20 });
  const tall = await rowsFor(bench, { layers: 500 });
  const image = (/** @type {string} */ host) => `${host}/${nameOf(0)}:1.00000`;
  const archive = join(bench.workspace.folder, "large-tall.tar");
  await bench.workspace.run([process.execPath, bench.bin, "pull", image(tall.host), "-o", archive]);
  const layers = (/** @type {string} */ what, /** @type {string[]} */ words) =>
    tall.plain(sized(what, 500, "layers"), words);
  return [
    tagged.plain(sized("tags", TAGS, "tags"), ["tags", `${tagged.host}/${nameOf(0)}`]),
    tagged.plain(sized("lock of a glob that matches ten", TAGS, "tags"), [
      ...["lock", `${tagged.host}/${nameOf(0)}:1.0000*`, "-o", tagged.output],
    ]),
    listed.plain(sized("catalog", SIZES[1], "repositories"), ["catalog", listed.host]),
    listed.plain(sized("lock of HOST/**", SIZES[1], "repositories"), [
      ...["lock", `${listed.host}/**`, "-o", listed.output],
    ]),
    long.plain("imgpack pull, a manifest of 4 MiB", ["pull", image(long.host), "-o", long.output]),
    long.plain("imgpack inspect, a manifest of 4 MiB", ["inspect", image(long.host)]),
    layers("pull", ["pull", image(tall.host), "-o", tall.output]),
    layers("inspect", ["inspect", archive]),
    layers("verify", ["verify", archive]),
    layers("push", ["push", archive, "--to", `${tall.host}/pushed`]),
    layers("copy", ["copy", image(tall.host), "--to", `${tall.host}/copied`]),
  ];
}

/** A registry with its list and its lock, and an empty one. @param {Bench} bench @param {Shape & { repositories: number }} shape */
async function filled(bench, shape) {
  const { folder, run } = bench.workspace;
  const { repositories: count } = shape;
  const { host, plain, output, env } = await rowsFor(bench, shape);
  const target = await startSynthetic(bench, {});
  const name = join(folder, `large-${count}-${shape.layers ?? 2}`);
  const [list, lock] = [`${name}.txt`, `${name}.lock`];
  await writeFile(list, Array.from({ length: count }, (_, number) => `${host}/${nameOf(number)}:1.00000\n`).join(""));
  await run([process.execPath, bench.bin, "lock", "-f", list, "-o", lock], { env });
  /** @param {string} what @param {string[]} words @param {Synthetic} [written] whose requests count */
  const row = (what, words, written) => plain(sized(what, count), words, written);
  return { row, list, lock, output, target };
}

/** @param {Bench} bench @param {Shape} shape */
async function rowsFor(bench, shape) {
  const { folder } = bench.workspace;
  const registry = await startSynthetic(bench, shape);
  const env = cacheEnv(bench, "large");
  const output = join(folder, "large-out");
  /** @param {string} label @param {string[]} words @param {Synthetic} [written] @returns {Row} */
  const plain = (label, words, written) => ({
    label,
    env,
    count: (written ?? registry).count,
    ...(words.includes(output) && !words.includes("--dry-run") ? { output } : {}),
    prepare: async () => {
      await (written ?? registry).forget();
      await remove(join(folder, "large"));
      return [process.execPath, bench.bin, ...words];
    },
  });
  return { host: registry.host, plain, output, env };
}
