import { type Digest, digestAlgorithm, digestHex } from "../oci/digest.ts";

/** Where a blob lies in an OCI image layout (image-spec image-layout.md, "Blobs"). */
export function blobName(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}
