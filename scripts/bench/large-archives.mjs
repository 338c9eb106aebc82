// @ts-check
// Large archives, as imgpack writes them: many images, many blobs, and layers of 100 MB in holes of a sparse file.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { SIZES, sized } from "./large.mjs";
import { cacheEnv } from "./rows.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./rows.mjs").Bench} Bench */
/** @typedef {"few" | "many" | "large"} Kind */

export const EACH = "20 blobs each";
const writer = fileURLToPath(new URL("../../test/support/synthetic/write-sparse.ts", import.meta.url));
const serveOnce = fileURLToPath(new URL("serve-once.mjs", import.meta.url));
/** Of the images of these archives, the one that all of them have. */
const MANIFEST = "/v2/registry.lan/team-0/app-00000/manifests/1.0";
const NOWHERE = ["--registry", "127.0.0.1:9", "--plain-http", "--dry-run"];

/** @param {Bench} bench @returns {Promise<Row[]>} */
export async function archiveRows(bench) {
  const all = [];
  for (const count of SIZES) {
    const archive = await write(bench, "few", count);
    all.push(...quickRows(bench, archive, what => sized(what, count)));
    all.push(...wholeRows(bench, archive, what => sized(what, count), "64M"));
  }
  const blobs = await write(bench, "many", 1000);
  all.push(...quickRows(bench, blobs, what => sized(`${what}, ${EACH}`, 1000)));
  all.push(...wholeRows(bench, blobs, what => sized(`${what}, ${EACH}`, 1000), "64M"));
  return all;
}

/** What reads documents alone. @param {Bench} bench @param {string} archive @param {(what: string) => string} label @returns {Row[]} */
export function quickRows(bench, archive, label) {
  const serve = [process.execPath, bench.bin, "serve", "--listen", "127.0.0.1:0", "--log", "none", archive];
  const served = (/** @type {string} */ path) => [process.execPath, serveOnce, path, ...serve];
  return [
    row(bench, label("inspect"), ["inspect", archive]),
    row(bench, label("inspect --json"), ["inspect", archive, "--json"]),
    row(bench, label("push --dry-run"), ["push", archive, ...NOWHERE]),
    { label: label("serve, start"), prepare: async () => served("") },
    { label: label("serve, first manifest"), prepare: async () => served(MANIFEST) },
    { label: label("serve, first page"), prepare: async () => served("/") },
  ];
}

/**
 * What reads all of it.
 *
 * @param {Bench} bench @param {string} archive @param {(what: string) => string} label @param {string} volumeSize @returns {Row[]}
 */
export function wholeRows(bench, archive, label, volumeSize) {
  const output = join(bench.workspace.folder, "large-volumes");
  const split = ["convert", archive, join(output, "site.tar"), "--volume-size", volumeSize];
  return [
    row(bench, label("verify"), ["verify", archive]),
    row(bench, label("doctor"), ["doctor", archive]),
    {
      ...row(bench, label("split"), split),
      output,
      prepare: async () => {
        await bench.workspace.run(["mkdir", output]);
        return [process.execPath, bench.bin, ...split];
      },
    },
  ];
}

/** @param {Bench} bench @param {string} label @param {string[]} words @returns {Row} */
export function row(bench, label, words) {
  return {
    label,
    env: cacheEnv(bench, "large-archives"),
    prepare: async () => [process.execPath, bench.bin, ...words],
  };
}

/** @param {Bench} bench @param {Kind} kind @param {number} size @returns {Promise<string>} path of the archive */
export async function write({ workspace }, kind, size) {
  const program = join(workspace.folder, "write-sparse.mjs");
  const how = /** @type {const} */ ({ bundle: true, platform: "node", format: "esm", target: "node20.19" });
  await build({ ...how, logLevel: "error", entryPoints: [writer], outfile: program });
  const path = join(workspace.folder, `${kind}-${size}.tar`);
  await workspace.run([process.execPath, program, path, kind, `${size}`]);
  return path;
}
