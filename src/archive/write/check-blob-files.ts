import { constants } from "node:fs";
import { join } from "node:path";
import { fileSliceBlob } from "../../content/blob.ts";
import { hashBlob } from "../../content/hash-blob.ts";
import { type Digest, digestAlgorithm } from "../../oci/digest.ts";
import { isOwnedByUser } from "../../util/private-file.ts";
import { open } from "../../util/read-disk.ts";
import { runBounded } from "../../util/task-group.ts";
import type { ArchiveFile } from "./archive-file.ts";

/** A file whose bytes come from the source, named by its digest. */
export type BlobFile = Extract<ArchiveFile, { digest: Digest }>;

const HASH_CONCURRENCY = 4;

/** Hashes files in `folder`. @param onChecked is called with each, and whether its bytes are right. */
export async function checkBlobFiles(
  folder: string,
  files: readonly BlobFile[],
  onChecked: (file: BlobFile, isWhole: boolean) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const check = async (file: BlobFile, stop: AbortSignal): Promise<void> =>
    await onChecked(file, await isWhole(join(folder, file.name), file, stop));
  await runBounded(files, HASH_CONCURRENCY, check, signal);
}

/** False for a file that cannot be read. */
async function isWhole(path: string, { digest, size }: BlobFile, signal: AbortSignal): Promise<boolean> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await file.stat();
    // Under a second name, another program might change it.
    if (!stats.isFile() || !isOwnedByUser(stats) || stats.nlink !== 1 || stats.size !== size) return false;
    return (await hashBlob(fileSliceBlob(file, 0, size, path), digestAlgorithm(digest), signal)) === digest;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
