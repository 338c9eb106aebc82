import type { Readable } from "node:stream";
import { openArchive } from "../../archive/open-archive.ts";
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
 * What an archive, a folder or a lock contains. Of an archive only metadata is read.
 *
 * @throws ArchiveError, IntegrityError, StorageError; UsageError for a lock that was edited, or is of a newer version.
 */
export async function openBundle(path: string, options: OpenBundleOptions): Promise<Bundle> {
  const { onProgress, signal, stdin } = options;
  const lock = path === "-" ? undefined : await lockBytes(path, signal);
  if (lock !== undefined) {
    const fail = (_reason: string, message: string, hint?: string): Error => new UsageError(message, { hint });
    return lockedBundle(parseLock(lock, { where: quote(path), fail }), path);
  }
  const onNote = noteTo(onProgress);
  await using archive = await openArchive(path, { onNote, onRead: readingTo(onProgress, path), signal, stdin });
  return await archivedBundle(archive, { path, onNote, signal });
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
