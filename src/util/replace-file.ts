import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { changeOwner, createFile, openEmptied, removeFile, renameFile, syncFolder } from "./disk.ts";

/**
 * Gives a small file other content at once: whoever reads it, after a power cut too, sees all of the old or all of the
 * new. Behind a symbolic link, the file that it leads to. What is no file, such as a device, is written to as it is.
 *
 * @param mode without it as before; of a new file, what the umask leaves.
 */
export async function replaceFile(path: string, text: string, mode?: number): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const before = await stat(target).catch(() => undefined);
  const bytes = Buffer.from(text);
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
  } finally {
    if (isMade) await removeFile(partial).catch(() => undefined);
  }
}

/** Under sudo it stays its owner's file. */
async function keepOwner(path: string, before: Stats | undefined): Promise<void> {
  const isForeign = before !== undefined && process.getuid !== undefined && before.uid !== process.getuid();
  if (isForeign) await changeOwner(path, before.uid, before.gid).catch(() => undefined);
}
