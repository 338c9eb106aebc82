import { type Digest, digestAlgorithm, digestHex, isDigest } from "../oci/digest.ts";

/** The path of a blob in an OCI image layout (image-spec image-layout.md, "Blobs"). */
export function blobName(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/** The digest that the name of an entry in a layout claims. */
export function digestInName(name: string): Digest | undefined {
  const [, algorithm, hex] = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name) ?? [];
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : undefined;
}
