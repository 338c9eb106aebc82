import { join } from "node:path";
import { StorageError } from "../../errors.ts";
import { openForAppend, openForUpdate, syncFolder } from "../../util/disk.ts";
import { quote } from "../../util/format.ts";
import { readdir } from "../../util/read-disk.ts";
import { makeFolder } from "./durable-file.ts";
import { readSmallFile } from "./record-file.ts";

/** The folders of a store. */
export const STORE_PARTS = ["uploads", "blobs", "repositories"] as const;
const MARKER = "imgpack-registry";
const VERSION = "2\n";
/** Every new ext file system has it. */
const IGNORED = "lost+found";

/**
 * Makes an empty folder a store: the marker is the first file in it, and is durable before anything else is written. A
 * folder that has other files and no marker stays as it is.
 *
 * @throws StorageError for a folder that is neither empty nor a store of this version
 */
export async function claimFolder(folder: string): Promise<void> {
  await makeFolder(folder);
  const entries = (await readdir(folder)).filter(entry => entry !== IGNORED);
  const path = join(folder, MARKER);
  const found = entries.includes(MARKER) ? await readSmallFile(path) : undefined;
  if (found?.toString() === VERSION) return;
  // An interrupted first start leaves a marker that is empty, or zeros after a power cut, and nothing else.
  const isNew = entries.length === 0 || (entries.length === 1 && found?.every(byte => byte === 0) === true);
  if (!isNew) throw notStore(folder, entries.includes(MARKER) ? found : undefined);
  // Two servers that start at once write the same bytes; then the lock decides.
  await (await openForAppend(path, 0o600)).close();
  await using file = await openForUpdate(path);
  await file.write(Buffer.from(VERSION), 0);
  await file.sync();
  await syncFolder(folder);
}

/** @throws StorageError for a folder that is no store of this version; it stays as it is. */
export async function checkStore(folder: string): Promise<void> {
  const found = await readSmallFile(join(folder, MARKER));
  if (found?.toString() === VERSION) return;
  throw new StorageError(
    `Cannot use store ${quote(folder)}: found no store of version ${VERSION.trim()}, expected one`,
    {
      hint: "Name the folder that serve --store has written.",
    },
  );
}

function notStore(folder: string, marker: Buffer | undefined): StorageError {
  const state =
    marker === undefined ? "a folder with other files" : `a store of version ${quote(marker.toString().trim())}`;
  return new StorageError(
    `Cannot serve registry from ${quote(folder)}: found ${state}, expected an empty folder or a store of version ${VERSION.trim()}`,
    { hint: "Name a new folder; it is created when it does not exist." },
  );
}
