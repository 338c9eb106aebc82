// @ts-check
// How many transfers at once: imgpack's own choice next to six of them all the time, far away and near.
import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { startDelayProxy } from "./delay-proxy.mjs";
import { putImage, randomLayer } from "./registry-images.mjs";
import { cacheEnv } from "./rows.mjs";
import { startSynthetic } from "./synthetic.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./rows.mjs").Bench} Bench */
/** @typedef {"pull" | "push" | "copy"} Verb */

export const FAR_MS = 50;
export const FIXED = "imgpack --concurrency 6";

/**
 * @typedef {object} Blobs
 * @property {number} images
 * @property {number} layers of each, their own
 * @property {number} layerBytes
 * @property {(bench: Bench, blobs: Blobs) => Promise<{ near: string, names: string[] }>} fill
 */

/** From a registry without a disk. @type {Blobs} */
export const SMALL = { images: 2, layers: 500, layerBytes: 1000, fill: fillSynthetic };
/** From docker-registry. @type {Blobs} */
export const MEDIUM = { images: 3, layers: 16, layerBytes: 8 * 2 ** 20, fill: fillRegistry };

/** @param {Bench} bench @param {Blobs} blobs */
async function fillSynthetic(bench, { images, layers, layerBytes }) {
  const { host } = await startSynthetic(bench, { repositories: images, layers, layerBytes });
  return { near: host, names: Array.from({ length: images }, (_, index) => `synthetic/app-0000${index}:1.00000`) };
}

/** @param {Bench} bench @param {Blobs} blobs */
async function fillRegistry(bench, { images, layers, layerBytes }) {
  await bench.registry.reset();
  bench.state.isPrimed = false;
  const near = bench.registry.host();
  const names = Array.from({ length: images }, (_, index) => `pace/app-${index}:1.0`);
  for (const name of names) {
    const made = [];
    for (let index = 0; index < layers; index++) made.push(await randomLayer(layerBytes));
    await putImage(near, name, made);
  }
  return { near, names };
}

/** @param {Bench} bench @param {Verb} verb @param {Blobs} blobs @param {number} roundTripMs 0: no proxy @returns {Promise<Row[]>} */
export async function paceRows(bench, verb, blobs, roundTripMs) {
  const { near, names } = await blobs.fill(bench, blobs);
  const { folder, run } = bench.workspace;
  const archive = join(folder, "pace.tar");
  const imgpack = [process.execPath, bench.bin];
  const env = cacheEnv(bench, "pace");
  await remove(archive);
  await run([...imgpack, "pull", ...names.map(name => `${near}/${name}`), "-o", archive], { env });
  const host = async () => {
    if (roundTripMs === 0) return near;
    const proxy = await startDelayProxy(Number(near.split(":")[1]), roundTripMs);
    bench.stops.push(proxy.close);
    return `127.0.0.1:${proxy.port}`;
  };
  const [from, to] = [await host(), await host()];
  const output = join(folder, "pace-out.tar");
  let target = 0;
  /** @type {Record<Verb, () => string[]>} */
  const words = {
    pull: () => ["pull", ...names.map(name => `${from}/${name}`), "-o", output],
    push: () => ["push", archive, "--to", `${to}/pushed${++target}`],
    copy: () => ["copy", ...names.map(name => `${from}/${name}`), "--to", `${to}/copied${++target}`],
  };
  return /** @type {const} */ ([
    [FIXED, ["--concurrency", "6"]],
    ["imgpack", []],
  ]).map(([label, more]) => ({
    label,
    env,
    ...(verb === "pull" ? { output } : {}),
    prepare: async () => {
      await remove(join(folder, "pace"));
      return [...imgpack, ...words[verb](), ...more];
    },
  }));
}
