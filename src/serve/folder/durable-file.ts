import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { createFile, discardFile, makeFolders, openForAppend, renameFile, syncFolder } from "../../util/disk.ts";

/** Temporary files and uploads have this name, so that the sweep at start removes nothing else. */
const TEMPORARY = /^imgpack-upload-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function temporaryName(id: string = randomUUID()): string {
  return `imgpack-upload-${id}`;
}

export function isTemporaryName(entry: string): boolean {
  return TEMPORARY.test(entry);
}

/** Creates `folder` and missing folders above it, durably. */
export async function makeFolder(folder: string): Promise<void> {
  for (const made of (await makeFolders(folder, 0o700)).toReversed()) await syncFolder(dirname(made));
}

/** Moves a synced file to its final name. */
export async function publishFile(temporary: string, path: string): Promise<void> {
  await renameFile(temporary, path);
  await syncFolder(dirname(path));
}

/** Writes a small file: readers see the old bytes or the new ones, never a mix. `scratch` is on the same volume. */
export async function writeDurably(path: string, bytes: Uint8Array | string, scratch: string): Promise<void> {
  const temporary = join(scratch, temporaryName());
  try {
    {
      await using file = await createFile(temporary, 0o600);
      await file.write(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
      await file.sync();
    }
    await publishFile(temporary, path);
  } catch (error) {
    await discardFile(temporary);
    throw error;
  }
}

/** Creates an empty file, whose name is the information; creation is atomic and can be repeated. */
export async function writeMark(path: string): Promise<void> {
  const file = await openForAppend(path, 0o600);
  await file.close();
  await syncFolder(dirname(path));
}

export async function removeDurably(path: string): Promise<void> {
  await discardFile(path);
  await syncFolder(dirname(path));
}
