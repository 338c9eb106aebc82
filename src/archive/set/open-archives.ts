import type { ArchiveSource, ImageArchive } from "../archive-source.ts";
import { KnownLocks } from "../lock/known-locks.ts";
import type { OpenArchiveOptions } from "../open/open-archive-options.ts";
import { openArchive } from "../open-archive.ts";
import { type JoinOptions, joinArchives, mergeArchives } from "./join-archives.ts";

export interface OpenArchivesOptions extends OpenArchiveOptions, JoinOptions {
  /** Opens one file; default `openArchive`. @param locks to pass on. */
  readonly open?: ((path: string, locks: KnownLocks) => Promise<ArchiveSource>) | undefined;
}

/**
 * Opens files and folders, and puts those together that are one source, as `joinArchives` does.
 *
 * @throws ArchiveError, StorageError; NotFoundError, UsageError as `joinArchives`.
 */
export async function openArchives(
  paths: readonly string[],
  options: OpenArchivesOptions = {},
): Promise<readonly ImageArchive[]> {
  const { open = async (path, locks) => await openArchive(path, { ...options, locks }) } = options;
  const locks = new KnownLocks();
  const files: ArchiveSource[] = [];
  try {
    for (const path of paths) files.push(await open(path, locks));
    return await joinArchives(files, options);
  } catch (error) {
    for (const file of files) await file[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Opens files and folders as one source, also if they have nothing to do with each other.
 *
 * @throws as `openArchives`; ArchiveError "two-images" for a name that means two images.
 */
export async function openMerged(paths: readonly string[], options: OpenArchivesOptions = {}): Promise<ImageArchive> {
  const archives = await openArchives(paths, options);
  try {
    return mergeArchives(archives);
  } catch (error) {
    for (const archive of archives) await archive[Symbol.asyncDispose]();
    throw error;
  }
}
