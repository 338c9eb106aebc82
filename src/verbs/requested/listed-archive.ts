import { openMerged } from "../../archive/set/open-archives.ts";
import type { ListedReference } from "../../bundle/list/listed-reference.ts";
import type { ListInputOptions } from "./list-input.ts";

/**
 * The names of the images of an archive or a folder; of a volume, those of the whole set. It has no lines: all are in the
 * first one.
 *
 * @throws ArchiveError, StorageError
 */
export async function listedInArchive(path: string, { signal }: ListInputOptions): Promise<readonly ListedReference[]> {
  await using archive = await openMerged([path], { signal });
  return archive.images.flatMap(({ names }) =>
    names.map((reference): ListedReference => ({ reference, class: "certain", file: path, line: 1 })),
  );
}
