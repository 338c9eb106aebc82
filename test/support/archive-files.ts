import { openArchiveFile } from "../../src/archive/open/open-archive-file.ts";
import { readBlob } from "../../src/content/pump.ts";

export type ArchiveFiles = Record<string, Uint8Array>;

/** All files of an archive, by name: `tarOf` makes an archive of them again. */
export async function filesOf(path: string): Promise<ArchiveFiles> {
  await using archive = await openArchiveFile(path);
  const files: ArchiveFiles = {};
  for (const [name, entry] of archive.entries) files[name] = await readBlob(archive.slice(entry), entry.size);
  return files;
}
