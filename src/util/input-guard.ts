import type { Stats } from "node:fs";
import { ArchiveError, IntegrityError, StorageError } from "../errors.ts";

/**
 * Compares what a file was with what it is (security case F-03). One that was replaced under its name is another file:
 * ask with what the open handle tells.
 *
 * @param what as messages name it.
 * @throws StorageError when the same file was written to, or only touched, which looks the same.
 */
export function checkUnchanged(what: string, before: Pick<Stats, "size" | "mtimeMs">, after: Stats): void {
  if (before.size === after.size && before.mtimeMs === after.mtimeMs) return;
  const found =
    before.size === after.size
      ? `last written to at ${new Date(after.mtimeMs).toISOString()}`
      : `${before.size} bytes at first, ${after.size} bytes now`;
  throw changed(what, `file changed while it was read (${found})`);
}

/** For a file that is opened several times by its name. @throws StorageError also when another one has its name now. */
export function checkSame(what: string, before: Stats, after: Stats): void {
  if (!isSameFile(before, after)) throw changed(what, "file changed while it was read (another one has its name now)");
  checkUnchanged(what, before, after);
}

export function isSameFile(left: Stats, right: Stats): boolean {
  return left.ino === right.ino && left.dev === right.dev;
}

/**
 * Runs what reads something; where that breaks off, a change of what is read is the better explanation.
 *
 * @param confirm throws when there was one.
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
      hint: "Wait until whatever writes it has finished, then run the same command again.",
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
