// @ts-check
// Archives of large layers, in holes of a sparse file: what reads documents alone, and what reads all of it.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sized } from "./large.mjs";
import { quickRows, row, wholeRows, write } from "./large-archives.mjs";
import { startSynthetic } from "./synthetic.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./rows.mjs").Bench} Bench */

/** A loop that reads a file and hashes it once: what no check can be faster than. */
export const HASH = "sha256 in Node";
const COPY = "cp";
/** Labels of what reads all bytes of 100 GB. */
export const WHOLE = ["pull to a stream", "verify", "serve, all layers", "split, volume by volume"];
const MIB = 2 ** 20;
const LAYERS = 10;
const LAYER_BYTES = 100_000_000;
const VOLUME_SIZE = "5G";
const hashing = `const file = require("node:fs").openSync(process.argv[1]);
const hash = require("node:crypto").createHash("sha256");
const bytes = Buffer.alloc(${MIB});
for (let count; (count = require("node:fs").readSync(file, bytes)) > 0; ) hash.update(bytes.subarray(0, count));
hash.digest();`;

const serveLayers = fileURLToPath(new URL("serve-layers.mjs", import.meta.url));
const splitVolumes = fileURLToPath(new URL("split-volumes.mjs", import.meta.url));

/** @param {Bench} bench @returns {Promise<Row[]>} */
export async function layerRows(bench) {
  const all = [];
  for (const gigabytes of [10, 100])
    all.push(...quickRows(bench, await write(bench, "large", gigabytes), what => sized(what, gigabytes, "GB")));
  for (const gigabytes of [1, 4]) {
    const archive = await write(bench, "large", gigabytes);
    const rows = wholeRows(bench, archive, what => sized(what, gigabytes, "GB"), "512M");
    all.push(...[...floorRows(bench, archive, `${gigabytes} GB`), ...rows].map(one => warm(bench, archive, one)));
  }
  return all;
}

/** What the rows next to them are held against. @param {Bench} bench @param {string} archive @param {string} size @returns {Row[]} */
function floorRows({ workspace }, archive, size) {
  const output = join(workspace.folder, "large-copy");
  return [
    { label: `${HASH}, ${size}`, prepare: async () => [process.execPath, "-e", hashing, archive] },
    {
      label: `${COPY}, ${size}`,
      output,
      prepare: async () => ["sh", "-c", `cp --sparse=never "$0" "$1" && sync "$1"`, archive, output],
    },
  ];
}

/** The system fills memory with the holes of a file when it is first read, which takes as long as to hash it. @param {Bench} bench @param {string} archive @param {Row} one @returns {Row} */
function warm({ workspace }, archive, one) {
  return {
    ...one,
    prepare: async round => {
      await workspace.run(["dd", `if=${archive}`, "of=/dev/null", "bs=1M", "status=none"]);
      return await one.prepare(round);
    },
  };
}

/** @param {Bench} bench @returns {Promise<Row[]>} */
export async function wholeLayerRows(bench) {
  const all = [];
  for (const gigabytes of [10, 100]) {
    const archive = await write(bench, "large", gigabytes);
    const shape = { layers: LAYERS, layerKind: /** @type {const} */ ("zeros"), layerBytes: LAYER_BYTES };
    const { host } = await startSynthetic(bench, { ...shape, repositories: gigabytes });
    const imgpack = [process.execPath, bench.bin];
    const volumes = join(bench.workspace.folder, "large-volumes");
    const [pull = "", verify = "", serve = "", split = ""] = WHOLE.map(what => sized(what, gigabytes, "GB"));
    const serving = ["serve", "--listen", "127.0.0.1:0", "--log", "none", archive];
    all.push(
      // Bytes of a tar are no text.
      withoutOutput(row(bench, pull, ["pull", `${host}/**`, "-o", "-"])),
      row(bench, verify, ["verify", archive]),
      { label: serve, prepare: async () => [process.execPath, serveLayers, ...imgpack, ...serving] },
      {
        label: split,
        output: volumes,
        prepare: async () => [process.execPath, splitVolumes, archive, volumes, VOLUME_SIZE, ...imgpack],
      },
    );
  }
  return all;
}

/** @param {Row} one @returns {Row} */
function withoutOutput(one) {
  return { ...one, prepare: async round => ["sh", "-c", `exec "$0" "$@" > /dev/null`, ...(await one.prepare(round))] };
}
