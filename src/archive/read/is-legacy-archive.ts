import { isLegacyId } from "../../oci/legacy/legacy-id.ts";
import { REPOSITORIES_FILE } from "../../oci/legacy/legacy-names.ts";
import type { Archive } from "../archive.ts";
import type { ArchiveMetadata } from "./archive-metadata.ts";

/** True for an archive of Docker 1.9 or older: a folder per layer, each with its JSON. */
export function isLegacyArchive(archive: Archive, metadata: ArchiveMetadata): boolean {
  if (metadata.has(REPOSITORIES_FILE)) return true;
  for (const name of archive.entries.keys()) if (layerIdOf(name) !== undefined) return true;
  return false;
}

/** @param name of an entry. @returns the id of the layer whose JSON it is. */
export function layerIdOf(name: string): string | undefined {
  const id = name.endsWith("/json") ? name.slice(0, -"/json".length) : "";
  return isLegacyId(id) ? id : undefined;
}
