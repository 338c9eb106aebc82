import { StorageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { lstat, readdir } from "../../util/read-disk.ts";
import { storageState } from "../../util/system-fault.ts";

/** @throws StorageError unless `path` is an empty folder, or nothing. */
export async function checkFolderTarget(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return;
  if (!stats.isDirectory()) {
    const found = stats.isSymbolicLink() ? "a symbolic link" : stats.isFile() ? "a file" : "a pipe or device";
    throw new StorageError(`Cannot write folder ${quote(path)}: found ${found}, expected an empty folder or nothing`, {
      hint: "Choose another name; a name without a slash at its end writes a tar.",
    });
  }
  const names = await readdir(path);
  if (names.length === 0) return;
  throw new StorageError(
    `Cannot write folder ${quote(path)}: found ${names.length} ${names.length === 1 ? "entry" : "entries"} in it, expected an empty folder or nothing`,
    { hint: "Remove what is in it, or name a folder that does not exist yet." },
  );
}

/** Runs `work`, and turns errors of the system into StorageErrors about the folder at `path`. */
export async function withFolderErrors<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error) || !("syscall" in cause)) throw cause;
    throw new StorageError(
      `Cannot write folder ${quote(path)}: ${storageState(cause)}, expected a writable folder above it`,
      { cause, hint: "Choose another output, in a folder that exists, has room, and that you may write to." },
    );
  }
}
