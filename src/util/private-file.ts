import { constants, type Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { discardFile } from "./disk.ts";
import { errorCode } from "./error-code.ts";
import { lstat, open, opendir } from "./read-disk.ts";

/** Upload URLs, which these files contain, may have 16 KiB. */
const MAX_BYTES = 64 * 1024;
/** Files checked per run, so that a crowded folder does not delay it. */
const MAX_FILES = 1000;
const ABSENT_CODES: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR"]);
const OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;

/** What is denied to other users. */
export type Denied = "reading" | "writing";

/**
 * Opens a regular file that belongs to this user. It never waits, and follows no link.
 *
 * @param denied to other users: reading includes writing.
 * @returns "absent" if there is nothing; "foreign" for anything else.
 */
export async function openOwnFile(path: string, denied: Denied): Promise<FileHandle | "absent" | "foreign"> {
  let file: FileHandle;
  try {
    // Without O_NONBLOCK, opening a FIFO would wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    return ABSENT_CODES.has(errorCode(error)) ? "absent" : "foreign";
  }
  const stats = await file.stat().catch(() => undefined);
  const mask = denied === "reading" ? OTHERS : WRITABLE_BY_OTHERS;
  if (stats?.isFile() === true && stats.nlink === 1 && isPrivate(stats, mask)) return file;
  await file.close();
  return "foreign";
}

/** The text of a small file that belongs to this user and that others cannot read; undefined for anything else. */
export async function readOwnFile(path: string): Promise<string | undefined> {
  return (await readOwnBytes(path))?.toString("utf8");
}

async function readOwnBytes(path: string): Promise<Buffer | undefined> {
  const opened = await openOwnFile(path, "reading");
  if (typeof opened === "string") return undefined;
  await using file = opened;
  try {
    return (await file.stat()).size > MAX_BYTES ? undefined : await file.readFile();
  } catch {
    return undefined;
  }
}

/** Whether the path is a folder, not a link to one, that belongs to this user and that others cannot write to. */
export async function isOwnFolder(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isDirectory() === true && isPrivate(stats, WRITABLE_BY_OTHERS);
}

/**
 * Removes files last written before `time` (milliseconds since the epoch) from a folder of this user.
 *
 * @param isOwn whether the program wrote a file of this name and content; nothing else is removed.
 */
export async function removeStale(
  folder: string,
  time: number,
  isOwn: (name: string, content: Buffer) => boolean,
): Promise<void> {
  try {
    let left = MAX_FILES;
    for await (const { name } of await opendir(folder)) {
      left -= 1;
      if (left < 0) break;
      const path = join(folder, name);
      if ((await lstat(path)).mtimeMs >= time) continue;
      const content = await readOwnBytes(path);
      if (content !== undefined && isOwn(name, content)) await discardFile(path);
    }
  } catch {
    // The next run removes what is left.
  }
}

/** Whether a file belongs to the user of this process; always true on systems without users. */
export function isOwnedByUser({ uid }: Pick<Stats, "uid">): boolean {
  return process.getuid === undefined || uid === process.getuid();
}

/** Always true on Windows, which reports neither owner nor mode. */
function isPrivate(stats: Stats, denied: number): boolean {
  return process.getuid === undefined || (isOwnedByUser(stats) && (stats.mode & denied) === 0);
}
