import type { Stats } from "node:fs";
import { ArchiveError, IntegrityError, StorageError } from "../errors.ts";
import { lstat } from "./read-disk.ts";
import { storageState } from "./system-fault.ts";

/**
 * Checks that a file has not changed while it was read (security case F-03). A file that was replaced under its name has
 * not changed: `after` must come from the open handle.
 *
 * @param what the file, for messages.
 * @throws StorageError when the file was written to, or only touched, which cannot be told apart.
 */
export function checkUnchanged(
  what: string,
  before: Pick<Stats, "size" | "mtimeMs">,
  after: Pick<Stats, "size" | "mtimeMs">,
): void {
  if (before.size === after.size && before.mtimeMs === after.mtimeMs) return;
  const found =
    before.size === after.size
      ? `last written to at ${new Date(after.mtimeMs).toISOString()}`
      : `${before.size} bytes at first, ${after.size} bytes now`;
  throw changed(what, `file changed while it was read (${found})`);
}

/** As `checkUnchanged`, for a file that is opened several times. @throws StorageError also when the path is another file now. */
export function checkSame(what: string, before: Stats, after: Stats): void {
  if (!isSameFile(before, after))
    throw changed(what, "file changed while it was read (it was replaced by another file)");
  checkUnchanged(what, before, after);
}

/** What tells a file from others, and from itself after a change. */
export type FileState = Pick<Stats, "dev" | "ino" | "size" | "mtimeMs" | "ctimeMs">;

/**
 * Checks that a path still is the file that it was, and that this has not changed, not even for a moment.
 *
 * @param find looks at the path.
 * @throws StorageError also when the file was replaced or removed, or when only its owner or its mode changed.
 */
export async function checkKept(what: string, before: FileState, find: () => Promise<FileState>): Promise<void> {
  let after: FileState;
  try {
    after = await find();
  } catch (error) {
    throw changed(what, `file was removed while it was read (${storageState(error)})`);
  }
  if (!isSameFile(before, after))
    throw changed(what, "file changed while it was read (it was replaced by another file)");
  checkUnchanged(what, before, after);
  if (before.ctimeMs !== after.ctimeMs)
    throw changed(what, "file changed while it was read (its change time is newer)");
}

export function isSameFile(left: Pick<Stats, "dev" | "ino">, right: Pick<Stats, "dev" | "ino">): boolean {
  return left.ino === right.ino && left.dev === right.dev;
}

/** Whether the path is that file itself, and not another one or a link to it. */
export async function isNamed(file: Stats, path: string): Promise<boolean> {
  const named = await lstat(path).catch(() => undefined);
  return named !== undefined && isSameFile(file, named);
}

/**
 * Runs work that reads an input. If it fails because of the input, and the input has changed, that is reported instead.
 *
 * @param confirm throws a StorageError when the input has changed.
 */
export async function blameChangedInput<T>(
  confirm: (() => Promise<void>) | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOfInput =
      (error instanceof ArchiveError || error instanceof IntegrityError || error instanceof StorageError) &&
      error.origin !== "target";
    if (!isOfInput) throw error;
    await confirm?.().catch((found: unknown) => {
      throw found instanceof StorageError ? withCause(found, error) : error;
    });
    throw error;
  }
}

function changed(what: string, found: string): StorageError {
  return ofSource(
    new StorageError(`Cannot read ${what}: ${found}, expected it to stay as it was`, {
      hint: "Wait until the program that writes it has finished, then run the same command again.",
    }),
  );
}

function withCause({ message, hint }: StorageError, cause: unknown): StorageError {
  return ofSource(new StorageError(message, { hint, cause }));
}

function ofSource(error: StorageError): StorageError {
  error.origin = "source";
  return error;
}
