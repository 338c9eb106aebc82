// @ts-check
// Images of random bytes, straight into a registry.
import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** @typedef {{ bytes: Buffer, diffId: string }} Layer */

/** @param {string} host @param {string} reference repository:tag @param {Layer[]} layers base first */
export async function putImage(host, reference, layers) {
  const [name = "", tag = ""] = reference.split(":");
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Cmd: ["/app"], Labels: { reference } },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created_by: "COPY" })),
    }),
  );
  for (const bytes of [config, ...layers.map(layer => layer.bytes)]) await putBlob(host, name, bytes);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: describe("application/vnd.oci.image.config.v1+json", config),
    layers: layers.map(({ bytes }) => describe("application/vnd.oci.image.layer.v1.tar+gzip", bytes)),
  });
  const headers = { "content-type": MANIFEST };
  await done(await fetch(`http://${host}/v2/${name}/manifests/${tag}`, { method: "PUT", body: manifest, headers }));
}

/** @param {number} size of the file in it @returns {Promise<Layer>} */
export async function randomLayer(size) {
  const tar = pack();
  tar.entry({ name: "data", mtime: new Date(0) }, randomBytes(size));
  tar.finalize();
  const parts = /** @type {Uint8Array[]} */ ([]);
  for await (const part of tar) parts.push(/** @type {Uint8Array} */ (part));
  const raw = Buffer.concat(parts);
  return { bytes: gzipSync(raw, { level: 1 }), diffId: digestOf(raw) };
}

/** Unless it is there. @param {string} host @param {string} name @param {Buffer} bytes */
async function putBlob(host, name, bytes) {
  const digest = digestOf(bytes);
  const known = await fetch(`http://${host}/v2/${name}/blobs/${digest}`, { method: "HEAD" });
  if (known.ok) return;
  const begun = await done(await fetch(`http://${host}/v2/${name}/blobs/uploads/`, { method: "POST" }));
  const url = new URL(begun.headers.get("location") ?? "", `http://${host}`);
  url.searchParams.set("digest", digest);
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
