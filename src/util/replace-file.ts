import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import { changeOwner, createFile, discardFile, openEmptied, removeFile, renameFile, syncFolder } from "./disk.ts";
import { isOwnedByUser } from "./private-file.ts";
import { lstat, realpath, stat } from "./read-disk.ts";
import { SystemFault } from "./system-fault.ts";

/**
 * Replaces the content of a small file atomically: readers see the old or the new content, even after a power cut. For a
 * symbolic link of this user or of root, that is the file that it points to; one of another user is not followed. A device
 * is written to directly.
 *
 * @param mode default: the mode of the file; for a new file 0o666 without the umask.
 */
export async function replaceFile(path: string, content: string | Uint8Array, mode?: number): Promise<void> {
  const isPlanted = await isForeignLink(path);
  const target = isPlanted ? path : await realpath(path).catch(() => path);
  const before = isPlanted ? undefined : await stat(target).catch(() => undefined);
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  if (before !== undefined && !before.isFile()) {
    await using device = await openEmptied(target);
    return await device.write(bytes);
  }
  const partial = `${target}.${randomBytes(6).toString("hex")}.partial`;
  let isMade = false;
  try {
    {
      await using file = await createFile(partial, mode ?? (before?.mode ?? 0o666) & 0o777);
      isMade = true;
      await file.write(bytes);
      await file.sync();
    }
    await keepOwner(partial, before);
    await renameFile(partial, target);
    isMade = false;
    await syncFolder(dirname(target));
  } catch (error) {
    // The temporary name says nothing to those who read the message.
    throw error instanceof SystemFault && error.cause instanceof Error
      ? new SystemFault("write", path, error.cause)
      : error;
  } finally {
    if (isMade) await removeFile(partial).catch(() => undefined);
  }
}

/**
 * Gives a small file of this user alone (0600) new content, without a sync: readers see the old or the new content, but
 * after a power cut it may be absent, torn or old.
 */
export async function replaceUnsynced(path: string, ...parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    {
      await using file = await createFile(temporary, 0o600);
      for (const part of parts) await file.write(part);
    }
    await renameFile(temporary, path);
  } catch (error) {
    await discardFile(temporary);
    throw error;
  }
}

/** As in a folder that everyone can write to, such as /tmp. */
async function isForeignLink(path: string): Promise<boolean> {
  const named = await lstat(path).catch(() => undefined);
  return named?.isSymbolicLink() === true && named.uid !== 0 && !isOwnedByUser(named);
}

/** Under sudo, the file still belongs to its owner. */
async function keepOwner(path: string, before: Stats | undefined): Promise<void> {
  const isForeign = before !== undefined && process.getuid !== undefined && before.uid !== process.getuid();
  if (isForeign) await changeOwner(path, before.uid, before.gid).catch(() => undefined);
}
