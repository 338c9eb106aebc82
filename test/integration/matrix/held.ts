import { Readable } from "node:stream";
import { decompress } from "../../../src/compress/decompress.ts";
import { detectCompression } from "../../../src/compress/detect.ts";
import { heldManifest, sha256 } from "../peers/registry-content.ts";

export interface HeldImages {
  readonly digest: string;
  /** Of the manifest itself, or of all below the index. */
  readonly images: readonly { readonly imageId: string; readonly diffIds: readonly string[] }[];
  /** Every manifest, by digest. */
  readonly manifests: ReadonlySet<string>;
}

/**
 * What a registry holds under a tag or digest: every manifest read, every layer hashed as it is and inflated.
 *
 * @param isArtifact chooses manifests that are not images.
 * @throws {Error} when a blob is not what its digest says
 */
export async function heldImages(
  url: string,
  repository: string,
  reference: string,
  isArtifact: (digest: string) => boolean,
): Promise<HeldImages> {
  const { digest, config, layers, manifests } = await heldManifest(url, repository, reference);
  if (config === undefined) {
    const children: HeldImages[] = [];
    for (const child of manifests) children.push(await heldImages(url, repository, child.digest, isArtifact));
    return {
      digest,
      images: children.flatMap(({ images }) => images),
      manifests: new Set([digest, ...children.flatMap(child => [...child.manifests])]),
    };
  }
  const configBytes = await blob(url, repository, config.digest);
  const diffIds: string[] = [];
  for (const layer of layers) diffIds.push(await diffId(await blob(url, repository, layer.digest)));
  const images = isArtifact(digest) ? [] : [{ imageId: sha256(configBytes), diffIds }];
  return { digest, images, manifests: new Set([digest]) };
}

async function blob(url: string, repository: string, digest: string): Promise<Buffer> {
  const response = await fetch(`${url}/v2/${repository}/blobs/${digest}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200 || sha256(bytes) !== digest) throw new Error(`${digest}: status ${response.status}`);
  return bytes;
}

async function diffId(layer: Buffer): Promise<string> {
  const compression = detectCompression(layer);
  if (compression === undefined) return sha256(layer);
  const parts: Uint8Array[] = [];
  for await (const part of decompress(Readable.from([layer]), compression, "layer")) parts.push(Buffer.from(part));
  return sha256(Buffer.concat(parts));
}
