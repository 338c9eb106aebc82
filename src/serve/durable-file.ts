import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder } from "../util/disk.ts";

/** Creates `folder` and the missing ones above it, each of them durably. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Moves a synced file to its final name. */
export async function publishFile(temporary: string, path: string): Promise<void> {
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** Writes a small file: readers see the old bytes or the new ones, never a part. `scratch` is on the same volume. */
export async function writeDurably(path: string, bytes: Uint8Array | string, scratch: string): Promise<void> {
  const temporary = join(scratch, randomUUID());
  try {
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publishFile(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** An empty file says "this name belongs here"; its creation is atomic, and repeating it changes nothing. */
export async function writeMark(path: string): Promise<void> {
  const handle = await open(path, "a", 0o600);
  await handle.close();
  await syncFolder(dirname(path));
}

export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncFolder(dirname(path));
}
