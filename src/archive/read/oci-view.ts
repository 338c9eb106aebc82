import { checkLayoutHeader, INDEX_FILE, LAYOUT_FILE, type LayoutIndex, parseLayoutIndex } from "../../oci/layout.ts";
import type { Archive } from "../archive.ts";
import { digestInName } from "../blob-name.ts";
import type { ArchiveMetadata } from "./archive-metadata.ts";
import { BlobIndex } from "./blob-index.ts";

/** An archive as its `index.json` describes it. */
export interface OciView {
  readonly index: LayoutIndex;
  readonly blobs: BlobIndex;
}

/**
 * The view of an OCI image layout (image-spec image-layout.md). Entries named by digest are claims until they are hashed.
 * Without `oci-layout`, which some writers leave out, the index is trusted as it is.
 *
 * @throws ArchiveError
 */
export function ociView(archive: Archive, metadata: ArchiveMetadata): OciView {
  if (metadata.has(LAYOUT_FILE)) checkLayoutHeader(metadata.bytes(LAYOUT_FILE), archive.what);
  const index = parseLayoutIndex(metadata.bytes(INDEX_FILE), archive.what);
  return { index, blobs: namedBlobs(archive) };
}

/** The entries whose names are those of blobs in a layout. */
export function namedBlobs(archive: Archive): BlobIndex {
  const blobs = new BlobIndex(archive);
  for (const [name, entry] of archive.entries) {
    const digest = digestInName(name);
    if (entry.type === "file" && digest !== undefined) blobs.add(digest, entry);
  }
  return blobs;
}
