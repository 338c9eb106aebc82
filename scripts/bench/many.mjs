// @ts-check
// Many small images: what a list of them costs to lock, plan, pull, list and verify, next to skopeo sync.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { putImage, randomLayer } from "./registry-images.mjs";
import { cacheEnv } from "./rows.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./rows.mjs").Bench} Bench */

export const IMAGES = 1000;
const PARALLEL = 16;
const LAYER_BYTES = 5000;

/** @param {Bench} bench @returns {Promise<Row[]>} */
export async function manyRows(bench) {
  await bench.registry.reset();
  bench.state.isPrimed = false;
  const host = bench.registry.host();
  await fill(host);
  const { folder, run } = bench.workspace;
  const list = join(folder, "many.txt");
  await writeFile(
    list,
    names()
      .map(name => `${host}/${name}:1.0\n`)
      .join(""),
  );
  const yaml = join(folder, "many.yaml");
  await writeFile(
    yaml,
    `"${host}":\n  tls-verify: false\n  images:\n${names()
      .map(name => `    ${name}: ["1.0"]\n`)
      .join("")}`,
  );
  const imgpack = [process.execPath, bench.bin];
  const [archive, lock] = [join(folder, "many.tar"), join(folder, "many.lock")];
  const env = cacheEnv(bench, "many");
  await run([...imgpack, "lock", "-f", list, "-o", lock], { env });
  await run([...imgpack, "pull", "-f", lock, "-o", archive], { env });
  const output = join(folder, "many-out");
  /** @param {string} label @param {string[]} words @param {{ isCold?: boolean, output?: string }} [how] @returns {Row} */
  const row = (label, words, { isCold = false, output: made } = {}) => ({
    label: `imgpack ${label}`,
    ...(made === undefined ? {} : { output: made }),
    env,
    prepare: async () => {
      if (isCold) await remove(join(folder, "many"));
      return [...imgpack, ...words];
    },
  });
  const skopeo = bench.tools.get("skopeo");
  return [
    row("pull", ["pull", "-f", list, "-o", output], { isCold: true, output }),
    row("lock", ["lock", "-f", list, "-o", output], { isCold: true, output }),
    row("lock again", ["lock", "-f", list, "-o", output], { output }),
    row("pull --dry-run", ["pull", "-f", list, "-o", output, "--dry-run"], { isCold: true }),
    row("pull of the lock", ["pull", "-f", lock, "-o", output], { output }),
    row("inspect", ["inspect", archive]),
    row("verify", ["verify", archive]),
    ...(skopeo?.sync === undefined
      ? []
      : [{ label: "skopeo sync", output, prepare: async () => skopeo.sync?.(yaml, output) ?? [] }]),
  ];
}

const names = () => Array.from({ length: IMAGES }, (_, index) => `many/app-${String(index).padStart(4, "0")}`);

/** Images of two layers of their own, in a repository each. @param {string} host */
async function fill(host) {
  const waiting = names();
  const put = async () => {
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const layers = [await randomLayer(LAYER_BYTES), await randomLayer(LAYER_BYTES)];
      await putImage(host, `${name}:1.0`, layers);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, put));
}
