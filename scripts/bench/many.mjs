// @ts-check
// Many small images: what a list of them costs to lock, plan, pull, list and verify, next to skopeo sync.
import { createHash, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { remove } from "fs-extra/esm";
import { pack } from "tar-stream";
import { cacheEnv } from "./rows.mjs";

/** @typedef {import("./measure.mjs").Row} Row */
/** @typedef {import("./rows.mjs").Bench} Bench */

export const IMAGES = 1000;
const PARALLEL = 16;
const LAYER_BYTES = 5000;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

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
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await putImage(host, name);
  };
  await Promise.all(Array.from({ length: PARALLEL }, put));
}

/** @param {string} host @param {string} name */
async function putImage(host, name) {
  const layers = await Promise.all(["base", "app"].map(layer));
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["/app"], Labels: { name } },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created_by: "COPY" })),
    }),
  );
  for (const { bytes } of [{ bytes: config }, ...layers]) await putBlob(host, name, bytes);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: describe("application/vnd.oci.image.config.v1+json", config),
    layers: layers.map(({ bytes }) => describe("application/vnd.oci.image.layer.v1.tar+gzip", bytes)),
  });
  const headers = { "content-type": MANIFEST };
  await done(await fetch(`http://${host}/v2/${name}/manifests/1.0`, { method: "PUT", body: manifest, headers }));
}

/** @param {string} name */
async function layer(name) {
  const tar = pack();
  tar.entry({ name, mtime: new Date(0) }, randomBytes(LAYER_BYTES));
  tar.finalize();
  const parts = /** @type {Uint8Array[]} */ ([]);
  for await (const part of tar) parts.push(/** @type {Uint8Array} */ (part));
  const raw = Buffer.concat(parts);
  return { bytes: gzipSync(raw), diffId: digestOf(raw) };
}

/** @param {string} host @param {string} name @param {Buffer} bytes */
async function putBlob(host, name, bytes) {
  const begun = await done(await fetch(`http://${host}/v2/${name}/blobs/uploads/`, { method: "POST" }));
  const url = new URL(begun.headers.get("location") ?? "", `http://${host}`);
  url.searchParams.set("digest", digestOf(bytes));
  const headers = { "content-type": "application/octet-stream" };
  await done(await fetch(url, { method: "PUT", body: new Uint8Array(bytes), headers }));
}

/** @param {Response} response */
async function done(response) {
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot fill the registry: ${response.status} ${text}`);
  return response;
}

/** @param {string} mediaType @param {Buffer} bytes */
const describe = (mediaType, bytes) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });

/** @param {Buffer} bytes */
const digestOf = bytes => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
