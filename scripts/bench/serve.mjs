// @ts-check
// The image from imgpack's server, from an archive and from a store, and from docker-registry.
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findTool } from "../fixtures/processes.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./rows.mjs").Bench} Bench */
/** @typedef {{ label: string, host: string, repository: string }} Server */

export const FROM_FILE = "imgpack serve FILE";
export const FROM_STORE = "imgpack serve --store";
export const PEER = "docker-registry";
const REPOSITORY = "bench/app";
const PARALLEL = 100;

/** All layers, one after the other. @param {Bench} bench @returns {Promise<Row[]>} */
export async function curlRows(bench) {
  return await rowsOfServers(bench, async ({ host, repository }) => {
    const urls = (await layersOf(host, repository)).map(digest => `http://${host}/v2/${repository}/blobs/${digest}`);
    return ["curl", "--silent", "--show-error", "--fail", ...urls.flatMap(url => ["-o", "/dev/null", url])];
  });
}

/** @param {Bench} bench @returns {Promise<Row[]>} */
export async function dockerRows(bench) {
  return await engineRows(bench, ["docker"], []);
}

/** @param {Bench} bench @returns {Promise<Row[]>} */
export async function podmanRows(bench) {
  const folder = join(bench.workspace.folder, "podman");
  // Its driver mounts a folder, and leaves that.
  bench.stops.push(async () => void (await works(bench, ["umount", join(folder, "overlay")])));
  return await engineRows(bench, ["podman", "--root", folder, "--runroot", `${folder}-run`], ["--tls-verify=false"]);
}

/** @param {Bench} bench @param {string[]} engine @param {string[]} flags of pull @returns {Promise<Row[]>} */
async function engineRows(bench, engine, flags) {
  if (!(await works(bench, [...engine, "version"]))) return [];
  /** @type {Set<string>} */
  const pulled = new Set();
  const removeAll = async () => {
    for (const image of pulled) await works(bench, [...engine, "rmi", "--force", image]);
  };
  bench.stops.push(removeAll);
  return await rowsOfServers(bench, async ({ host, repository }) => {
    const image = `${host}/${repository}:1`;
    // One that another server gave has the same layers.
    await removeAll();
    pulled.add(image);
    return [...engine, "pull", "--quiet", ...flags, image];
  });
}

/** Into containerd's content store. @param {Bench} bench @returns {Promise<Row[]>} */
export async function containerdRows(bench) {
  const ctr = ["ctr", "--namespace", "imgpack-bench"];
  if (!(await works(bench, [...ctr, "version"]))) return [];
  return await rowsOfServers(bench, async ({ host, repository }) => {
    const image = `${host}/${repository}:1`;
    // Another name keeps the content.
    for (const name of (await bench.workspace.run([...ctr, "images", "list", "--quiet"])).split("\n").filter(Boolean))
      await works(bench, [...ctr, "images", "remove", "--sync", name]);
    return [...ctr, "content", "fetch", "--plain-http", image];
  });
}

/**
 * The largest layer, a hundred times at once. The command is the server and its clients, so that its peak is the server's.
 * @param {Bench} bench @returns {Promise<Row[]>}
 */
export async function manyRows(bench) {
  const { archive, config } = await fill(bench);
  const script = fileURLToPath(new URL("many-pulls.mjs", import.meta.url));
  const [digest = ""] = await layersOf(bench.registry.host(), REPOSITORY);
  /** @param {string[]} server */
  const argv = server => [process.execPath, script, `${PARALLEL}`, REPOSITORY, digest, ...server];
  return [
    { label: FROM_FILE, prepare: async () => argv([process.execPath, bench.bin, ...serveFlags, archive]) },
    { label: PEER, prepare: async () => argv([findTool("docker-registry") ?? "docker-registry", "serve", config]) },
  ];
}

const serveFlags = ["serve", "--listen", "127.0.0.1:0", "--log", "none"];

/** @param {Bench} bench @param {(server: Server) => Promise<string[]>} argv @returns {Promise<Row[]>} */
async function rowsOfServers(bench, argv) {
  const { archive, store } = await fill(bench);
  const servers = [
    { label: FROM_FILE, host: await startServe(bench, [archive]), repository: REPOSITORY },
    { label: FROM_STORE, host: await startServe(bench, ["--store", store]), repository: REPOSITORY },
    { label: PEER, host: bench.registry.host(), repository: REPOSITORY },
  ];
  return servers.map(server => ({ label: server.label, prepare: async () => await argv(server) }));
}

/** The image in the registry, in an archive that was pulled from it, and in a store. @param {Bench} bench */
async function fill(bench) {
  const { folder, run } = bench.workspace;
  const files = {
    archive: join(folder, "served.tar"),
    store: join(folder, "served-store"),
    // Written by the registry of the bench.
    config: join(folder, "registry.yml"),
  };
  const { archive, store } = files;
  if (bench.state.served !== undefined && bench.state.served === bench.registry.host()) return files;
  await bench.registry.reset();
  bench.state.isPrimed = false;
  const imgpack = [process.execPath, bench.bin];
  const push = ["push", bench.archives.image, "--compression", "gzip:1", "--tag"];
  const image = `${bench.registry.host()}/${REPOSITORY}:1`;
  await run([...imgpack, ...push, image]);
  await run([...imgpack, "pull", image, "-o", archive]);
  const host = await startServe(bench, ["--store", store]);
  await run([...imgpack, "copy", image, `${host}/${REPOSITORY}:1`]);
  await bench.stops.pop()?.();
  bench.state.served = bench.registry.host();
  return files;
}

/** @param {Bench} bench @param {string[]} words @returns {Promise<string>} "127.0.0.1:port" */
async function startServe(bench, words) {
  const child = bench.workspace.start([process.execPath, bench.bin, ...serveFlags, ...words]);
  bench.stops.push(async () => {
    child.kill("SIGTERM");
    await child.ended;
  });
  for (let attempt = 0; attempt < 500; attempt++) {
    const found = /^http:\/\/(\S+)\n/.exec(child.stdout())?.[1];
    if (found !== undefined) return found;
    await delay(20);
  }
  throw new Error(`Cannot start imgpack serve: no URL within 10 s\n${child.stderr()}`);
}

/** @param {string} host @param {string} repository */
async function layersOf(host, repository) {
  const accept = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
  const url = `http://${host}/v2/${repository}/manifests/1`;
  const response = await fetch(url, { headers: { accept: accept.join(", ") } });
  const { layers } = /** @type {{ layers: { digest: string, size: number }[] }} */ (await response.json());
  return layers.toSorted((a, b) => b.size - a.size).map(({ digest }) => digest);
}

/** @param {Bench} bench @param {string[]} argv */
async function works(bench, argv) {
  return await bench.workspace.run(argv).then(
    () => true,
    () => false,
  );
}
