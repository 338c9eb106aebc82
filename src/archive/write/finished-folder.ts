import { dirname, join } from "node:path";
import type { TargetSession } from "../../content/contracts.ts";
import { syncFolder } from "../../util/disk.ts";
import { formatBytes, quote } from "../../util/format.ts";
import { isOwnedByUser } from "../../util/private-file.ts";
import { lstat, readdir, readFile } from "../../util/read-disk.ts";
import type { ArchiveContents } from "./archive-contents.ts";
import { type BlobFile, checkBlobFiles } from "./check-blob-files.ts";
import { withFolderErrors } from "./check-folder-target.ts";
import { folderLock } from "./folder-lock.ts";

/**
 * A session for a folder that has these contents already: after a run that was killed after its last rename, or after the
 * same run before.
 *
 * @returns undefined for any other folder, which is not changed.
 * @throws StorageError while another run writes it.
 */
export async function finishedFolder(
  path: string,
  contents: ArchiveContents,
  onNote: ((text: string) => void) | undefined,
  signal?: AbortSignal,
): Promise<TargetSession | undefined> {
  if (!(await hasNames(path, contents))) return undefined;
  return await withFolderErrors(path, async () => {
    const lock = await folderLock(path, { onNote, signal });
    const release = async (): Promise<void> => await lock.remove().catch(() => undefined);
    try {
      onNote?.(`Checking ${formatBytes(contents.totalBytes)} in ${quote(path)}`);
      if (!(await hasBytes(path, contents, signal))) {
        await release();
        return undefined;
      }
    } catch (error) {
      await release();
      throw error;
    }
    onNote?.(`${quote(path)} contains these images already`);
    return {
      has: async ({ digest }) => (contents.names.has(digest) ? "kept" : "absent"),
      // Manifests are present, too.
      put: async () => undefined,
      commit: async () => await withFolderErrors(path, async () => await syncFolder(dirname(path))),
      [Symbol.asyncDispose]: release,
    };
  });
}

/** Whether it contains these files, and no others. */
export async function hasNames(path: string, { files }: ArchiveContents): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isDirectory() !== true || !isOwnedByUser(stats)) return false;
  const missing = new Set(files.map(({ name }) => name));
  const walk = async (below: string): Promise<boolean> => {
    for (const entry of await readdir(join(path, below), { withFileTypes: true })) {
      const name = `${below}${entry.name}`;
      const isWanted = entry.isDirectory()
        ? files.some(file => file.name.startsWith(`${name}/`)) && (await walk(`${name}/`))
        : entry.isFile() && missing.delete(name);
      if (!isWanted) return false;
    }
    return true;
  };
  return (await walk("").catch(() => false)) && missing.size === 0;
}

async function hasBytes(path: string, { files }: ArchiveContents, signal?: AbortSignal): Promise<boolean> {
  for (const file of files) {
    if (file.bytes === undefined) continue;
    const { name, size, bytes, signature } = file;
    const where = join(path, name);
    if ((await lstat(where)).size !== size) return false;
    const found = await readFile(where, { signal });
    if (!found.equals(bytes) && signature?.isAlike(found) !== true) return false;
  }
  const blobs = files.filter((file): file is BlobFile => file.digest !== undefined);
  const damaged: string[] = [];
  const take = ({ name }: BlobFile, isWhole: boolean): void => {
    if (!isWhole) damaged.push(name);
  };
  await checkBlobFiles(path, blobs, take, signal);
  return damaged.length === 0;
}
