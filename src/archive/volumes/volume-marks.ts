import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import type { LockedSet } from "../../bundle/lock/lock.ts";
import { isLock, MAX_LOCK_BYTES, parseLock } from "../../bundle/lock/parse-lock.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { lstat, readFile } from "../../util/read-disk.ts";
import { readMetadata } from "../archive.ts";
import { openArchiveFile } from "../open/open-archive-file.ts";
import { isSums } from "./volume-names.ts";

const MAX_SUMS_BYTES = 16 * 1024 * 1024;

/** The set that a volume is of. Undefined for anything else than a volume that imgpack wrote, and for one that is gone. */
export async function setOfVolume(path: string): Promise<LockedSet | undefined> {
  try {
    const stats = await lstat(path);
    if (!stats.isFile()) return undefined;
    await using archive = await openArchiveFile(path);
    if (archive.isFolder === true || archive.streamed !== undefined || !archive.entries.has(LOCK_FILE))
      return undefined;
    const bytes = await readMetadata(archive, LOCK_FILE, MAX_LOCK_BYTES);
    return isLock(bytes) ? parseLock(bytes, { where: quote(path) }).set : undefined;
  } catch {
    return undefined;
  }
}

/** What a path has in place of sums of volumes. */
export async function sumsAt(path: string): Promise<"nothing" | "sums" | "another"> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return "nothing";
  if (!stats.isFile() || stats.size >= MAX_SUMS_BYTES) return "another";
  // Another process may have removed it.
  const text = await readFile(path, "utf8").catch(error => (errorCode(error) === "ENOENT" ? undefined : "unreadable"));
  if (text === undefined) return "nothing";
  return isSums(text) ? "sums" : "another";
}
