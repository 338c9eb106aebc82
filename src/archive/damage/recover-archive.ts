import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import { ArchiveError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestAlgorithm } from "../../oci/digest.ts";
import { INDEX_FILE, parseLayoutIndex } from "../../oci/layout.ts";
import { MAX_ARCHIVE_INDEX_BYTES } from "../../oci/limits.ts";
import { resolveEntry } from "../../tar/resolve-entry.ts";
import type { TarEntry } from "../../tar/tar-entry.ts";
import { quote } from "../../util/format.ts";
import { SUMS_FILE } from "../entry-names.ts";
import { KnownLocks } from "../lock/known-locks.ts";
import type { OpenArchiveOptions } from "../open/open-archive-options.ts";
import { TarArchive } from "../open/tar-archive.ts";
import { checkFrame } from "./check-frame.ts";
import type { Layout, LayoutSlot } from "./find-layout.ts";
import { type OpenedLayout, openLayout } from "./open-layout.ts";

/** An archive whose entries are where its lock and its sums say. */
export interface RecoveredArchive {
  readonly archive: TarArchive;
  readonly lock: Lock;
  /** Of the images, as far as `index.json` is left. */
  readonly roots: ReadonlyMap<Digest, Descriptor>;
}

/**
 * Opens an archive that imgpack wrote, as it was before its headers or its metadata were damaged. Blobs are read as they
 * are: their digests show what is damaged of them.
 *
 * @returns undefined for an archive that nothing is known to be wrong with, and for one of which too little is left.
 * @throws StorageError if the file cannot be opened.
 */
export async function recoverArchive(
  path: string,
  { onNote = () => undefined, locks = new KnownLocks(), signal }: OpenArchiveOptions,
): Promise<RecoveredArchive | undefined> {
  const opened = await openLayout(path, locks, signal);
  if (opened === undefined) return undefined;
  let isTaken = false;
  try {
    const { file, layout } = opened;
    const faults = await checkFrame(file, layout, signal);
    const documents = layout.lock.blobs.filter(({ kind }) => kind !== "layer");
    const isWhole = await areRight(opened, new Set(documents.map(({ digest }) => digest)));
    if (faults.length === 0 && isWhole) return undefined;
    const replaced = await replacedFiles(opened);
    if (faults.length > 0) {
      const copies = replaced.size === 0 ? "" : `; ${[...replaced.keys()].join(", ")} as ${SUMS_FILE} has it`;
      onNote(`Archive ${quote(path)} is damaged outside of blobs: reading it by its lock${copies}`);
    }
    const entries = new Map(layout.slots.map(slot => [slot.name, entryOf(slot)]));
    const index = { entries, warnings: [], resolve: (name: string) => resolveEntry(entries, name, path) };
    const archive = new TarArchive({ path, file: file.handle, opened: file.stats, index, replaced });
    isTaken = true;
    return { archive, lock: layout.lock, roots: await rootsIn(opened, replaced) };
  } finally {
    if (!isTaken) await opened[Symbol.asyncDispose]();
  }
}

function entryOf({ name, bodyOffset, size }: LayoutSlot): TarEntry {
  return { name, type: "file", bodyOffset, size };
}

/** Whether manifests and configs are what their digests say: without them, no one knows what the archive contains. */
async function areRight({ file, layout }: OpenedLayout, digests: ReadonlySet<Digest>): Promise<boolean> {
  for (const { digest, part, bodyOffset, size } of layout.slots) {
    if (digest === undefined || part !== undefined || !digests.has(digest)) continue;
    if ((await file.digest(bodyOffset, size, digestAlgorithm(digest))) !== digest) return false;
  }
  return true;
}

/** Files that are damaged where they are, and of which there is a copy. */
async function replacedFiles({ file, layout }: OpenedLayout): Promise<ReadonlyMap<string, Uint8Array>> {
  const replaced = new Map<string, Uint8Array>();
  for (const slot of layout.slots) {
    const copy = copyOf(slot, layout);
    if (copy === undefined || copy.length !== slot.size) continue;
    if (!(await file.read(slot.bodyOffset, slot.size)).equals(copy)) replaced.set(slot.name, copy);
  }
  return replaced;
}

function copyOf({ name, file }: LayoutSlot, { lockBytes }: Layout): Uint8Array | undefined {
  return name === LOCK_FILE ? lockBytes : file?.copy;
}

async function rootsIn(
  { file, layout }: OpenedLayout,
  replaced: ReadonlyMap<string, Uint8Array>,
): Promise<ReadonlyMap<Digest, Descriptor>> {
  const slot = layout.slots.find(({ name }) => name === INDEX_FILE);
  if (slot === undefined || slot.size > MAX_ARCHIVE_INDEX_BYTES) return new Map();
  try {
    const bytes = replaced.get(INDEX_FILE) ?? (await file.read(slot.bodyOffset, slot.size));
    const { roots } = parseLayoutIndex(bytes, file.path);
    return new Map(roots.map(({ descriptor }) => [descriptor.digest, descriptor]));
  } catch (error) {
    if (error instanceof ArchiveError) return new Map();
    throw error;
  }
}
