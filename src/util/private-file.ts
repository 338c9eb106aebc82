import { constants, type Stats } from "node:fs";
import { lstat, open, opendir } from "node:fs/promises";
import { join } from "node:path";
import { discardFile } from "./disk.ts";

/** URLs of registries may have 16 KiB. */
const MAX_BYTES = 64 * 1024;
/** Files looked at, so that a crowded folder does not hold up a run. */
const MAX_FILES = 1000;
const OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;

/** A small file that nobody but its owner may read or could have put there; undefined for anything else. */
export async function readOwnFile(path: string): Promise<string | undefined> {
  try {
    // A FIFO would hold up a plain open.
    await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile() || stats.nlink !== 1 || !isOwn(stats, OTHERS) || stats.size > MAX_BYTES) return undefined;
    return await file.readFile("utf8");
  } catch {
    return undefined;
  }
}

/** Whether a folder, no link to one, is this user's, and others cannot put files into it. */
export async function isOwnFolder(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isDirectory() === true && isOwn(stats, WRITABLE_BY_OTHERS);
}

/** Removes what was last written before `time`, in milliseconds since the epoch, from a folder of one's own. */
export async function removeStale(folder: string, time: number): Promise<void> {
  try {
    let left = MAX_FILES;
    for await (const { name } of await opendir(folder)) {
      left -= 1;
      if (left < 0) break;
      const path = join(folder, name);
      const stats = await lstat(path);
      if (!stats.isDirectory() && stats.mtimeMs < time) await discardFile(path);
    }
  } catch {
    // What is left is tidied up another time.
  }
}

/** Windows tells neither owner nor mode. */
function isOwn({ uid, mode }: Stats, denied: number): boolean {
  return process.getuid === undefined || (uid === process.getuid() && (mode & denied) === 0);
}
