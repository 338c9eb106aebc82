import { type LockOptions, ProcessLock } from "../../util/lock/process-lock.ts";

/** The name of a folder while it is written. */
export function partialOf(path: string): string {
  return `${path}.partial`;
}

/** Locks a folder and its partial one by a file next to them. @throws StorageError while another process has the lock. */
export async function folderLock(path: string, options: LockOptions): Promise<ProcessLock> {
  return await ProcessLock.claim(`${partialOf(path)}.lock`, path, options);
}
