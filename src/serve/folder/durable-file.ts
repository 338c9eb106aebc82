import { randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { StorageError } from "../../errors.ts";
import { createFile, discardFile, makeFolders, openForAppend, renameFile, syncFolder } from "../../util/disk.ts";
import { errorCode } from "../../util/error-code.ts";
import { quote } from "../../util/format.ts";
import { lstat } from "../../util/read-disk.ts";

/** A folder of a store is a symbolic link. */
export class LinkFault extends StorageError {
  readonly path: string;

  constructor(path: string) {
    super(`Cannot use ${quote(path)}: found a symbolic link, expected a folder of the store`, {
      hint: "Move the folder that it names to its place; the store as a whole may be a link.",
    });
    this.path = path;
  }
}

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

/** As `makeFolder`, for a folder inside a store. @throws StorageError as `checkOwnFolder` */
export async function makeOwnFolder(folder: string): Promise<void> {
  // First, because a link to nothing would count as missing.
  await checkOwnFolder(folder);
  await makeFolder(folder);
}

/**
 * A folder inside a store; it may be missing.
 *
 * @throws StorageError for a symbolic link: what is written, removed and swept below it would be elsewhere.
 */
export async function checkOwnFolder(folder: string): Promise<void> {
  const found = await lstat(folder).catch(error => {
    if (errorCode(error) !== "ENOENT") throw error;
  });
  if (found?.isSymbolicLink() === true) throw new LinkFault(folder);
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
