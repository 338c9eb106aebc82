import type { Stats } from "node:fs";
import { StorageError } from "../errors.ts";
import { quote } from "../util/format.ts";
import { lstat, readdir, readlink } from "../util/read-disk.ts";
import { storageState } from "../util/system-fault.ts";

type FolderEntryType =
  | "file"
  | "directory"
  | "symlink"
  /** A file that has an earlier name in the folder, too. */
  | "link"
  | "character-device"
  | "block-device"
  | "fifo"
  | "socket";

export interface FolderEntry {
  /** Path below the folder, joined by "/"; ends with "/" for a folder. */
  readonly name: string;
  readonly path: string;
  readonly type: FolderEntryType;
  /** Target of a symlink, unchanged; earlier name of a link. */
  readonly linkName?: string;
  readonly stats: Stats;
}

/**
 * Everything below a folder, sorted by the bytes of the names: the order is the same on any machine. Symlinks are not
 * followed.
 *
 * @throws StorageError for a path that cannot be read.
 */
export async function* walkFolder(root: string, signal?: AbortSignal): AsyncGenerator<FolderEntry, void> {
  const firstNames = new Map<string, string>();
  const levels = [await readLevel(root, "")];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    signal?.throwIfAborted();
    const entry = level.pop();
    if (entry === undefined) {
      levels.pop();
      continue;
    }
    if (entry.type === "directory") levels.push(await readLevel(entry.path, entry.name));
    yield await withLink(entry, firstNames);
  }
}

/** Last one first. */
async function readLevel(path: string, prefix: string): Promise<FolderEntry[]> {
  let names: readonly Buffer[];
  try {
    names = await readdir(path, { encoding: "buffer" });
  } catch (cause) {
    throw readFault(path, cause);
  }
  const entries = await Promise.all(names.map(async bytes => await readEntry(path, prefix, bytes)));
  const sorted = entries.map(entry => ({ entry, key: Buffer.from(entry.name) }));
  return sorted.sort((left, right) => Buffer.compare(right.key, left.key)).map(({ entry }) => entry);
}

async function readEntry(folder: string, prefix: string, bytes: Buffer): Promise<FolderEntry> {
  const text = bytes.toString("utf8");
  const path = `${folder}/${text}`;
  if (!Buffer.from(text).equals(bytes)) {
    throw new StorageError(`Cannot pack ${quote(path)}: its name is not UTF-8, expected a name that a layer can hold`, {
      hint: "Rename the file, or pack the folder with tar and import the tar.",
    });
  }
  try {
    const stats = await lstat(path);
    const type = typeOf(stats);
    return { name: `${prefix}${text}${type === "directory" ? "/" : ""}`, path, type, stats };
  } catch (cause) {
    throw readFault(path, cause);
  }
}

async function withLink(entry: FolderEntry, firstNames: Map<string, string>): Promise<FolderEntry> {
  const { type, path, name, stats } = entry;
  if (type === "symlink") {
    try {
      return { ...entry, linkName: await readlink(path) };
    } catch (cause) {
      throw readFault(path, cause);
    }
  }
  if (type !== "file" || stats.nlink === 1) return entry;
  const file = `${stats.dev}:${stats.ino}`;
  const first = firstNames.get(file);
  if (first !== undefined) return { ...entry, type: "link", linkName: first };
  firstNames.set(file, name);
  return entry;
}

function typeOf(stats: Stats): FolderEntryType {
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "character-device";
  if (stats.isBlockDevice()) return "block-device";
  if (stats.isFIFO()) return "fifo";
  return stats.isSocket() ? "socket" : "file";
}

export function readFault(path: string, cause: unknown): StorageError {
  return new StorageError(`Cannot pack ${quote(path)}: ${storageState(cause, "no such file")}, expected to read it`, {
    cause,
    hint: "Run the command as a user who may read the whole folder, while nothing changes in it.",
  });
}
