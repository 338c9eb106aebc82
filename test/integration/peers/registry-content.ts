import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";

export interface HeldManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  readonly config?: { readonly digest: string; readonly mediaType: string };
  readonly layers: readonly { readonly digest: string; readonly mediaType: string; readonly size: number }[];
  readonly manifests: readonly { readonly digest: string; readonly platform?: { readonly architecture: string } }[];
}

export interface HeldImage {
  readonly digest: string;
  /** Digest of the config. */
  readonly imageId: string;
  readonly diffIds: readonly string[];
}

const ACCEPT = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** A manifest as the registry holds it; its digest is computed, not believed. */
export async function heldManifest(url: string, repository: string, reference: string): Promise<HeldManifest> {
  const response = await fetch(`${url}/v2/${repository}/manifests/${reference}`, { headers: { accept: ACCEPT } });
  if (response.status !== 200) throw new Error(`${repository}:${reference}: status ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const value = JSON.parse(bytes.toString("utf8"));
  return {
    digest: sha256(bytes),
    mediaType: response.headers.get("content-type") ?? "",
    bytes,
    ...(value.config === undefined ? {} : { config: value.config }),
    layers: value.layers ?? [],
    manifests: value.manifests ?? [],
  };
}

/**
 * An image as the registry holds it, every blob read: the image ID and what the gzip layers inflate to.
 * @throws {Error} when a blob is not what its digest says, or a layer not what the config says
 */
export async function heldImage(url: string, repository: string, reference: string): Promise<HeldImage> {
  const { digest, config, layers } = await heldManifest(url, repository, reference);
  const configBytes = await heldBlob(url, repository, config?.digest ?? "");
  const { diff_ids: claimed } = JSON.parse(configBytes.toString("utf8")).rootfs;
  const diffIds: string[] = [];
  for (const layer of layers) {
    const bytes = await heldBlob(url, repository, layer.digest);
    if (bytes.length !== layer.size) throw new Error(`${layer.digest}: ${bytes.length} bytes, not ${layer.size}`);
    diffIds.push(sha256(layer.mediaType.endsWith("gzip") ? gunzipSync(bytes) : bytes));
  }
  if (JSON.stringify(diffIds) !== JSON.stringify(claimed)) throw new Error(`${repository}: layers are ${diffIds}`);
  return { digest, imageId: sha256(configBytes), diffIds };
}

async function heldBlob(url: string, repository: string, digest: string): Promise<Buffer> {
  const response = await fetch(`${url}/v2/${repository}/blobs/${digest}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200 || sha256(bytes) !== digest) throw new Error(`${digest}: status ${response.status}`);
  return bytes;
}

/** Sorted. */
export async function heldTags(url: string, repository: string): Promise<readonly string[]> {
  const { tags } = (await (await fetch(`${url}/v2/${repository}/tags/list`)).json()) as { tags: string[] };
  return tags.sort();
}
