import { type Digest, digestAlgorithm, digestHex, isDigest } from "../oci/digest.ts";

/** The path of a blob in an OCI image layout (image-spec image-layout.md, "Blobs"). */
export function blobName(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

/** The digest that the name of an entry in a layout claims. */
export function digestInName(name: string): Digest | undefined {
  // An archive has tens of thousands of names.
  if (!name.startsWith(FOLDER) || name[ALGORITHM_END] !== "/") return undefined;
  const digest = `${name.slice(FOLDER.length, ALGORITHM_END)}:${name.slice(ALGORITHM_END + 1)}`;
  return isDigest(digest) ? digest : undefined;
}

const FOLDER = "blobs/";
/** Of sha256 and sha512. */
const ALGORITHM_END = FOLDER.length + 6;
