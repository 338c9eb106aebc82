// @ts-check
// How many transfers at once: imgpack's own choice next to six of them all the time, far away and near.
import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { startDelayProxy } from "./delay-proxy.mjs";
import { putImage, randomLayer } from "./registry-images.mjs";
import { cacheEnv } from "./rows.mjs";

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
 */

/** @type {Blobs} */
export const SMALL = { images: 2, layers: 500, layerBytes: 5000 };
/** @type {Blobs} */
export const MEDIUM = { images: 3, layers: 16, layerBytes: 8 * 2 ** 20 };

/** @param {Bench} bench @param {Verb} verb @param {Blobs} blobs @param {number} roundTripMs 0: no proxy @returns {Promise<Row[]>} */
export async function paceRows(bench, verb, blobs, roundTripMs) {
  await bench.registry.reset();
  bench.state.isPrimed = false;
  const near = bench.registry.host();
  const names = Array.from({ length: blobs.images }, (_, index) => `pace/app-${index}`);
  for (const name of names) {
    const layers = [];
    for (let index = 0; index < blobs.layers; index++) layers.push(await randomLayer(blobs.layerBytes));
    await putImage(near, `${name}:1.0`, layers);
  }
  const { folder, run } = bench.workspace;
  const archive = join(folder, "pace.tar");
  const imgpack = [process.execPath, bench.bin];
  const env = cacheEnv(bench, "pace");
  await remove(archive);
  await run([...imgpack, "pull", ...names.map(name => `${near}/${name}:1.0`), "-o", archive], { env });
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
    pull: () => ["pull", ...names.map(name => `${from}/${name}:1.0`), "-o", output],
    push: () => ["push", archive, "--to", `${to}/pushed${++target}`],
    copy: () => ["copy", ...names.map(name => `${from}/${name}:1.0`), "--to", `${to}/copied${++target}`],
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
