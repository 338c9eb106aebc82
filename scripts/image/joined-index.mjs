// @ts-check
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { outputFile, remove } from "fs-extra/esm";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const EMPTY = "application/vnd.oci.empty.v1+json";
const SPDX = "application/spdx+json";

/**
 * Joins the images of an OCI layout to one image of several platforms, with a bill of materials for each.
 *
 * @param {string} folder the layout
 * @param {Readonly<Record<string, string>>} annotations of the index
 * @param {readonly { readonly digest: string, readonly platform: string, readonly sbom: string }[]} images
 */
export async function joinImages(folder, annotations, images) {
  const blob = (/** @type {string} */ digest) => join(folder, "blobs/sha256", digest.slice("sha256:".length));
  const put = async (/** @type {string} */ mediaType, /** @type {string} */ text) => {
    const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
    await outputFile(blob(digest), text);
    return { mediaType, digest, size: Buffer.byteLength(text) };
  };
  const config = await put(EMPTY, "{}");
  const manifests = [];
  const referrers = [];
  for (const { digest, platform, sbom } of images) {
    const [os, architecture] = platform.split("/");
    const subject = { mediaType: MANIFEST, digest, size: (await stat(blob(digest))).size };
    manifests.push({ ...subject, platform: { architecture, os } });
    const layers = [await put(SPDX, sbom)];
    const text = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, artifactType: SPDX, config, layers, subject });
    referrers.push({ ...(await put(MANIFEST, text)), artifactType: SPDX });
  }
  const index = await put(INDEX, JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests, annotations }));
  // A referrer is found by its subject, and needs no name.
  const top = { schemaVersion: 2, mediaType: INDEX, manifests: [index, ...referrers] };
  await outputFile(join(folder, "index.json"), JSON.stringify(top));
  // The lock of the images as they were.
  await remove(join(folder, "imgpack.json"));
}
