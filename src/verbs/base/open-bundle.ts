import type { Readable } from "node:stream";
import type { ImageArchive } from "../../archive/archive-source.ts";
import type { KnownLocks } from "../../archive/lock/known-locks.ts";
import { openArchive } from "../../archive/open-archive.ts";
import { openArchives } from "../../archive/set/open-archives.ts";
import type { Bundle } from "../../bundle/base/bundle.ts";
import { lockedBundle } from "../../bundle/base/locked-bundle.ts";
import { utf8Bytes } from "../../bundle/list/decode-text.ts";
import { isLock, parseLock } from "../../bundle/lock/parse-lock.ts";
import { noteTo, type OnProgress, readingTo } from "../../content/progress.ts";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { startOf } from "../../util/input-file.ts";
import { readListInput } from "../requested/list-input.ts";
import { archivedBundle } from "./archived-bundle.ts";

const START_BYTES = 512;

export interface OpenBundleOptions {
  /** What the archive "-" is read from. Default: stdin of the process. */
  readonly stdin?: Readable | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What archives, folders and locks contain, each bundle once, a delta and its base apart. Of an archive only metadata is read. One volume says what the
 * whole set contains: all have the same lock.
 *
 * @throws ArchiveError, IntegrityError, StorageError; UsageError for a lock that was edited, or is of a newer version.
 */
export async function openBundles(paths: readonly string[], options: OpenBundleOptions): Promise<readonly Bundle[]> {
  const { onProgress, signal, stdin } = options;
  const onNote = noteTo(onProgress);
  const bundles: Bundle[] = [];
  const files: string[] = [];
  for (const path of paths) {
    const lock = path === "-" ? undefined : await lockBytes(path, signal);
    const fail = (_reason: string, message: string, hint?: string): Error => new UsageError(message, { hint });
    if (lock === undefined) files.push(path);
    else bundles.push(lockedBundle(parseLock(lock, { where: quote(path), fail }), path));
  }
  const open = async (path: string, locks: KnownLocks): ReturnType<typeof openArchive> =>
    await openArchive(path, { onNote, onRead: readingTo(onProgress, path), locks, signal, stdin });
  const archives = await openArchives(files, { withDeltas: false, onNote, open, signal });
  try {
    for (const archive of archives) bundles.push(await bundleOf(archive, onNote, signal));
  } finally {
    for (const archive of archives) await archive[Symbol.asyncDispose]();
  }
  const place = ({ where }: Bundle): number => paths.indexOf(where);
  return bundles.sort((left, right) => place(left) - place(right));
}

/** As `openBundles`, for files that are one source. */
export async function openBundle(paths: readonly string[], options: OpenBundleOptions): Promise<Bundle> {
  const [bundle, ...others] = await openBundles(paths, options);
  if (bundle !== undefined && others.length === 0) return bundle;
  const found = [bundle, ...others].map(one => one && quote(one.where)).join(" and ");
  throw new UsageError(`Cannot compare ${found}: they are not one source, expected one bundle`, {
    hint: "Compare them one by one, or merge them first: imgpack convert A.tar B.tar OUT.tar.",
  });
}

async function bundleOf(
  archive: ImageArchive,
  onNote: (message: string) => void,
  signal: AbortSignal | undefined,
): Promise<Bundle> {
  const path = archive.members[0]?.archive.path ?? "";
  const lock = archive.volumes === undefined ? undefined : await archive.lock(signal);
  return lock === undefined ? await archivedBundle(archive, { path, onNote, signal }) : lockedBundle(lock, path);
}

/** Undefined for an archive, and for what is neither: opening it says why. @throws UsageError for a pipe without a lock. */
async function lockBytes(path: string, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  const start = await startOf(path, START_BYTES).catch(() => undefined);
  if (start === undefined || start === "folder") return undefined;
  if (start !== "pipe") return isLock(utf8Bytes(start)) ? await readLockFile(path, signal) : undefined;
  const bytes = await readLockFile(path, signal);
  if (bytes !== undefined && isLock(bytes)) return bytes;
  throw new UsageError(`Cannot read lock from pipe ${quote(path)}: found none, expected a lock`, {
    hint: "Name the file of an archive: a pipe cannot be read again.",
  });
}

async function readLockFile(path: string, signal: AbortSignal | undefined): Promise<Uint8Array | undefined> {
  const bytes = await readListInput(path, { signal });
  return bytes === "archive" ? undefined : bytes;
}
