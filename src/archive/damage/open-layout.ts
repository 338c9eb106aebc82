import { constants } from "node:fs";
import { detectCompression, MAGIC_BYTES } from "../../compress/detect.ts";
import { open, stat } from "../../util/read-disk.ts";
import type { KnownLocks } from "../lock/known-locks.ts";
import { DamagedFile } from "./damaged-file.ts";
import { findLayout, type Layout } from "./find-layout.ts";

export interface OpenedLayout extends AsyncDisposable {
  readonly file: DamagedFile;
  readonly layout: Layout;
}

/**
 * Opens a plain tar that imgpack wrote, however damaged it is.
 *
 * @param locks of the same call: the volumes of a set have one.
 * @returns undefined for anything else, and for a file of which too little is left.
 * @throws StorageError if it cannot be opened.
 */
export async function openLayout(
  path: string,
  locks: KnownLocks,
  signal?: AbortSignal,
): Promise<OpenedLayout | undefined> {
  // Opening a pipe would take it from who reads it afterwards.
  const stats = path === "-" ? undefined : await stat(path).catch(() => undefined);
  if (stats?.isFile() !== true) return undefined;
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let isTaken = false;
  try {
    const found = await layoutOf(new DamagedFile(path, handle, await handle.stat()), locks, signal);
    isTaken = found !== undefined;
    return found;
  } finally {
    if (!isTaken) await handle.close();
  }
}

async function layoutOf(
  file: DamagedFile,
  locks: KnownLocks,
  signal: AbortSignal | undefined,
): Promise<OpenedLayout | undefined> {
  if (detectCompression(await file.read(0, MAGIC_BYTES)) !== undefined) return undefined;
  const layout = await findLayout(file, locks, signal);
  if (layout === undefined) return undefined;
  return { file, layout, [Symbol.asyncDispose]: async () => await file.handle.close() };
}
