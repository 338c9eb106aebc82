// @ts-check
// Rows of pulls: from the registry, over TLS, or through a slow link.
import { join } from "node:path";
import { startDelayProxy } from "./delay-proxy.mjs";
import { cacheEnv, coldPushes, rowsOf } from "./rows.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./rows.mjs").Bench} Bench */
/** @typedef {import("./rows.mjs").ArchiveName} ArchiveName */
/** @typedef {import("./tools.mjs").Blob} Blob */

const MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
export const ROUND_TRIP_MS = 20;

/** @param {Bench} bench @param {ArchiveName} archive @param {string[]} names @returns {Promise<Row[]>} */
export async function pulls(bench, archive, names) {
  return pullRows(bench, names, archive, await putImage(bench, archive), { host: bench.registry.host });
}

/** Over TLS, with an authority of its own. @param {Bench} bench @param {ArchiveName} archive @param {string[]} names */
export async function tlsPulls(bench, archive, names) {
  const blobs = await putImage(bench, archive);
  const { host, ca, stop } = await bench.registry.startTls();
  bench.stops.push(stop);
  return pullRows(bench, names, archive, blobs, { host: () => host, ca });
}

/** Through a link with a round trip. @param {Bench} bench @param {ArchiveName} archive @param {string[]} names */
export async function latePulls(bench, archive, names) {
  const blobs = await putImage(bench, archive);
  const host = await farRegistry(bench);
  return pullRows(bench, names, archive, blobs, { host: () => host });
}

/** The same for pushes. @param {Bench} bench @param {ArchiveName} archive @param {string[]} names @returns {Promise<Row[]>} */
export async function latePushes(bench, archive, names) {
  await bench.registry.reset();
  bench.state.isPrimed = false;
  const host = await farRegistry(bench);
  const repository = (/** @type {string} */ tool, /** @type {string} */ round) =>
    `late${round}/${tool.replaceAll(" ", "-")}`;
  return coldPushes(bench, names, { archive, isEmpty: false, repository, host: () => host });
}

/** @param {Bench} bench */
async function farRegistry(bench) {
  const proxy = await startDelayProxy(Number(bench.registry.host().split(":")[1]), ROUND_TRIP_MS);
  bench.stops.push(proxy.close);
  return `127.0.0.1:${proxy.port}`;
}

/** Puts the image into the empty registry. @param {Bench} bench @param {ArchiveName} archive @returns {Promise<Blob[]>} */
async function putImage(bench, archive) {
  await bench.registry.reset();
  bench.state.isPrimed = false;
  const imgpack = bench.tools.get("imgpack");
  const reference = `${bench.registry.host()}/pulled/${archive.toLowerCase()}:latest`;
  await bench.workspace.run(imgpack?.push(bench.archives[archive], reference) ?? [], { env: cacheEnv(bench, "cold") });
  const response = await fetch(`http://${bench.registry.host()}/v2/pulled/${archive.toLowerCase()}/manifests/latest`, {
    headers: { accept: MANIFESTS },
  });
  const { config, layers } = /** @type {{ config: Blob, layers: Blob[] }} */ (await response.json());
  return [...new Map([config, ...layers].map(blob => [blob.digest, blob])).values()];
}

/**
 * @param {Bench} bench @param {string[]} names @param {ArchiveName} archive @param {Blob[]} blobs
 * @param {{ host(): string, ca?: string }} from
 * @returns {Row[]}
 */
function pullRows(bench, names, archive, blobs, { host, ca }) {
  return rowsOf(bench, names, tool => {
    const output = join(bench.workspace.folder, `${tool.name.replaceAll(" ", "-")}-out`);
    const reference = () => `${host()}/pulled/${archive.toLowerCase()}:latest`;
    return { label: tool.name, output, prepare: async () => tool.pull(reference(), output, blobs, ca) };
  });
}
