import { checkLayoutHeader, INDEX_FILE, LAYOUT_FILE, type LayoutIndex, parseLayoutIndex } from "../../oci/layout.ts";
import { MAX_ARCHIVE_INDEX_BYTES, MAX_LAYOUT_HEADER_BYTES } from "../../oci/limits.ts";
import { type Archive, readMetadata } from "../archive.ts";
import { digestInName } from "../blob-name.ts";
import { BlobIndex } from "./blob-index.ts";

/** The OCI view of an archive: its `index.json`, and where its blobs lie. */
export interface OciLayout {
  readonly index: LayoutIndex;
  readonly slices: BlobIndex;
}

export function hasOciLayout(archive: Archive): boolean {
  return archive.entries.has(LAYOUT_FILE) && archive.entries.has(INDEX_FILE);
}

/**
 * Reads an OCI image layout inside an archive (image-spec image-layout.md). Entries named by digest are claims until
 * they are hashed.
 *
 * @throws ArchiveError
 */
export async function readOciLayout(archive: Archive, signal?: AbortSignal): Promise<OciLayout> {
  checkLayoutHeader(await readMetadata(archive, LAYOUT_FILE, MAX_LAYOUT_HEADER_BYTES, signal), archive.what);
  return await readOciIndex(archive, signal);
}

/** The same without its header: an archive may have lost `oci-layout`, or never had it. @throws ArchiveError */
export async function readOciIndex(archive: Archive, signal?: AbortSignal): Promise<OciLayout> {
  const index = parseLayoutIndex(
    await readMetadata(archive, INDEX_FILE, MAX_ARCHIVE_INDEX_BYTES, signal),
    archive.what,
  );
  const slices = new BlobIndex(archive);
  for (const [name, entry] of archive.entries) {
    const digest = digestInName(name);
    if (entry.type === "file" && digest !== undefined) slices.add(digest, entry);
  }
  return { index, slices };
}
