import { join } from "node:path";
import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import { ArchiveError, StorageError } from "../../errors.ts";
import { DOCKER_MANIFEST_FILE } from "../../oci/docker-manifest.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../../oci/layout.ts";
import { isLegacyId } from "../../oci/legacy/legacy-id.ts";
import { REPOSITORIES_FILE } from "../../oci/legacy/legacy-names.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import { MAX_ENTRIES } from "../../tar/tar-walk.ts";
import { quote } from "../../util/format.ts";
import type { FileState } from "../../util/input-guard.ts";
import { lstat, readdir, readlink } from "../../util/read-disk.ts";
import { SystemFault, storageState } from "../../util/system-fault.ts";

const MAX_DEPTH = 8;
/** Folders to look into when the top is that of no archive: what is in them is for the hint. */
const MAX_HINTED = 100;
/** One of them is at the top of each archive. */
const METADATA: ReadonlySet<string> = new Set([
  LAYOUT_FILE,
  INDEX_FILE,
  DOCKER_MANIFEST_FILE,
  REPOSITORIES_FILE,
  LOCK_FILE,
]);

export interface WalkedFolder {
  /** By path below the folder, in order. */
  readonly entries: Map<string, TarEntry>;
  /** Of files, as they are now. */
  readonly states: Map<string, FileState>;
}

/**
 * What is in a folder. A folder without metadata at its top is no archive, and may be as large as the disk: of it, only the
 * first level below the top is looked at.
 *
 * @throws StorageError for a folder that cannot be read; ArchiveError "too-many-entries".
 */
export async function walkFolder(root: string, signal?: AbortSignal): Promise<WalkedFolder> {
  const walked: WalkedFolder = { entries: new Map(), states: new Map() };
  const names = await namesIn(root, "");
  const isArchive = names.some(name => METADATA.has(name) || isLegacyId(name));
  let hinted = 0;
  const walk = async (below: string, names: readonly string[], depth: number): Promise<void> => {
    signal?.throwIfAborted();
    if (depth > MAX_DEPTH) throw tooMuch(root, `folders nested more than ${MAX_DEPTH} deep`);
    for (const name of names) {
      const path = below === "" ? name : `${below}/${name}`;
      const isFolder = await addEntry(root, path, walked);
      if (walked.entries.size > MAX_ENTRIES) throw tooMuch(root, `more than ${MAX_ENTRIES} entries`);
      if (!isFolder) continue;
      if (isArchive) await walk(path, await namesIn(root, path), depth + 1);
      else if (depth === 0 && hinted < MAX_HINTED) {
        hinted += 1;
        await walk(path, (await namesIn(root, path).catch(() => [])).filter(isMetadata), depth + 1);
      }
    }
  };
  await walk("", names, 0);
  return walked;
}

function isMetadata(name: string): boolean {
  return METADATA.has(name);
}

async function namesIn(root: string, below: string): Promise<readonly string[]> {
  const path = join(root, below);
  return (await reading("folder", path, async folder => await readdir(folder))).sort();
}

/** @returns whether it is a folder. */
async function addEntry(root: string, path: string, { entries, states }: WalkedFolder): Promise<boolean> {
  const stats = await reading("file", join(root, path), async file => await lstat(file));
  const entry = { name: path, bodyOffset: entries.size, size: stats.isFile() ? stats.size : 0 };
  if (stats.isFile()) {
    const { dev, ino, size, mtimeMs, ctimeMs } = stats;
    entries.set(path, { ...entry, type: "file" });
    states.set(path, { dev, ino, size, mtimeMs, ctimeMs });
  } else if (stats.isSymbolicLink()) {
    const linkName = await reading("link", join(root, path), async link => await readlink(link));
    entries.set(path, { ...entry, type: "symlink", linkName });
  } else if (stats.isDirectory()) entries.set(path, { ...entry, type: "directory" });
  // Anything else is no part of an image.
  return stats.isDirectory();
}

/** @throws StorageError for what cannot be read. */
export async function reading<T>(kind: string, path: string, read: (path: string) => Promise<T>): Promise<T> {
  try {
    return await read(path);
  } catch (cause) {
    throw unreadable(kind, path, cause);
  }
}

function unreadable(kind: string, path: string, cause: unknown): StorageError {
  const found = storageState(cause, `no such ${kind}`);
  return new StorageError(`Cannot read ${kind} ${quote(path)}: ${found}, expected a readable ${kind}`, {
    cause,
    hint: cause instanceof SystemFault ? cause.hint : undefined,
  });
}

function tooMuch(path: string, found: string): ArchiveError {
  return new ArchiveError("too-many-entries", `Cannot read folder ${quote(path)}: ${found}, expected an image layout`, {
    hint: 'Name the folder that contains "oci-layout" or "manifest.json".',
  });
}
