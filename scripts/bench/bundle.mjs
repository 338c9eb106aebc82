// @ts-check
// A bundle of images over an air gap: the first delivery, the second one, and what it costs to check it.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { putImage, randomLayer } from "./registry-images.mjs";
import { cacheEnv, rowsOf } from "./rows.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./rows.mjs").Bench} Bench */
/** @typedef {import("./tools.mjs").BundleImages} BundleImages */

export const IMAGES = 20;
/** Images of the second delivery that have another last layer. */
export const CHANGED = 3;
const BASES = 4;
const BASE_LAYERS = 3;
const BASE_MIB = 40;
const APP_MIB = 16;
const MIB = 2 ** 20;
const REPOSITORY = "bundle/apps";

/** @param {Bench} bench @returns {Promise<Row[]>} */
export async function firstDelivery(bench) {
  await fill(bench);
  return deliveries(bench, tagsOf(1), []);
}

/** Peers have no delta: they carry all of it again. @param {Bench} bench @returns {Promise<Row[]>} */
export async function secondDelivery(bench) {
  const { first } = await fill(bench);
  return deliveries(bench, tagsOf(2), ["--base", first]);
}

/** On one core each: hashing is what both do. @param {Bench} bench @returns {Promise<Row[]>} */
export async function bundleChecks(bench) {
  const { first } = await fill(bench);
  const folder = join(bench.workspace.folder, "bundle-volumes");
  await remove(folder);
  const imgpack = [process.execPath, bench.bin];
  const volume = join(folder, "site.tar");
  await bench.workspace.run(["mkdir", folder]);
  await bench.workspace.run([...imgpack, "convert", first, volume, "--volume-size", "256M"]);
  const volumes = (await bench.workspace.run(["find", folder, "-name", "*.tar"])).trim().split("\n").sort();
  /** @param {string} label @param {string[]} argv @returns {Row} */
  const row = (label, argv) => ({ label, prepare: async () => argv });
  return [
    row("imgpack verify", [...imgpack, "verify", first]),
    row("imgpack verify of volumes", [...imgpack, "verify", ...volumes]),
    row("sha256sum", ["sha256sum", first]),
  ];
}

/** @param {Bench} bench @param {string[]} tags @param {string[]} options of imgpack @returns {Row[]} */
function deliveries(bench, tags, options) {
  const { folder } = bench.workspace;
  const images = () => ({ host: bench.registry.host(), repository: REPOSITORY, tags });
  /** @param {string} name */
  const outputOf = name => join(folder, `${name.replaceAll(" ", "-")}-bundle.tar`);
  const own = rowsOf(bench, ["imgpack", "imgpack executable"], tool => {
    const output = outputOf(tool.name);
    const prepare = async () => [...(tool.bundle?.(images(), output) ?? []), ...options];
    return { label: tool.name, output, env: cacheEnv(bench, "cold"), prepare };
  });
  const peers = rowsOf(bench, ["crane", "oras"], tool => {
    const output = outputOf(tool.name);
    return { label: tool.name, output, prepare: async () => tool.bundle?.(images(), output) ?? [] };
  });
  return [...own, ...peers, ...throughFolders(bench, images, outputOf)];
}

/**
 * Tools that write a folder, which goes into a tar afterwards: skopeo, and a layout as hauler's store, which is compressed.
 * @param {Bench} bench @param {() => BundleImages} images @param {(name: string) => string} outputOf @returns {Row[]}
 */
function throughFolders(bench, images, outputOf) {
  const made = join(bench.workspace.folder, "bundle-folder");
  const skopeo = rowsOf(bench, ["skopeo"], tool => {
    const output = outputOf("skopeo");
    const list = join(bench.workspace.folder, "bundle.yaml");
    const prepare = async () => {
      const { host, repository, tags } = images();
      const lines = [`"${host}":`, "  tls-verify: false", "  images:", `    ${repository}: ${JSON.stringify(tags)}`];
      await writeFile(list, `${lines.join("\n")}\n`);
      await remove(made);
      return ["sh", "-c", '"$@" && tar -cf "$0" -C "$FOLDER" .', output, ...(tool.sync?.(list, made) ?? [])];
    };
    return { label: "skopeo sync, tar", output, env: { FOLDER: made }, prepare };
  });
  const layout = rowsOf(bench, ["oras"], tool => {
    const output = outputOf("layout");
    const prepare = async () => {
      await remove(made);
      const pack = 'tar -c -C "$FOLDER" . | zstd -q -o "$0"';
      return ["sh", "-c", `"$@" && ${pack}`, output, ...(tool.bundle?.(images(), made) ?? [])];
    };
    return { label: "layout, tar.zst", output, env: { FOLDER: made }, prepare };
  });
  return [...skopeo, ...layout];
}

/** @param {1 | 2} delivery */
function tagsOf(delivery) {
  return Array.from({ length: IMAGES }, (_, index) => `app-${index}-${index < CHANGED ? delivery : 1}`);
}

/** The images in the registry, and the archive of the first delivery. @param {Bench} bench */
async function fill(bench) {
  const first = join(bench.workspace.folder, "bundle-first.tar");
  if (bench.state.bundle !== undefined && bench.state.bundle === bench.registry.host()) return { first };
  await bench.registry.reset();
  bench.state.isPrimed = false;
  const host = bench.registry.host();
  const layers = async (/** @type {number} */ count, /** @type {number} */ mib) =>
    await Promise.all(Array.from({ length: count }, async () => await randomLayer(mib * MIB)));
  for (let base = 0; base < BASES; base++) {
    const below = await layers(BASE_LAYERS, BASE_MIB);
    for (let index = base; index < IMAGES; index += BASES) {
      for (const delivery of index < CHANGED ? [1, 2] : [1]) {
        await putImage(host, `${REPOSITORY}:app-${index}-${delivery}`, [...below, ...(await layers(1, APP_MIB))]);
      }
    }
  }
  await remove(first);
  const references = tagsOf(1).map(tag => `${host}/${REPOSITORY}:${tag}`);
  await bench.workspace.run([process.execPath, bench.bin, "pull", ...references, "-o", first]);
  bench.state.bundle = host;
  return { first };
}
