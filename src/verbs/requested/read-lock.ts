import { readArchiveLock } from "../../archive/lock/archive-lock.ts";
import { KnownLocks } from "../../archive/lock/known-locks.ts";
import { openMerged } from "../../archive/set/open-archives.ts";
import { utf8Bytes } from "../../bundle/list/decode-text.ts";
import { formatLock } from "../../bundle/lock/format-lock.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import { isLock, parseLock } from "../../bundle/lock/parse-lock.ts";
import { isNeed } from "../../bundle/need/parse-need.ts";
import { UsageError } from "../../errors.ts";
import { quote } from "../../util/format.ts";
import { startOf } from "../../util/input-file.ts";
import type { Kind } from "../../util/options/checked-options.ts";
import { kindOf } from "../../util/options/option-kinds.ts";
import { isPipe, type ListInputOptions, readListInput } from "./list-input.ts";

/** The path of a lock, or of an archive or folder that has one; or the bytes of a lock. */
export type LockInput = string | Uint8Array;

export const LOCK_INPUT: Kind<LockInput> = kindOf("the path or the bytes of a lock", value =>
  (typeof value === "string" && value !== "") || value instanceof Uint8Array ? value : undefined,
);

const START_BYTES = 512;
/** Of bytes that `findLock` made of a lock: a lock of thousands of images is read once. */
const parsed = new WeakMap<Uint8Array, Lock>();

/**
 * @throws UsageError for what is no lock, was edited, or is of a newer version; ArchiveError, StorageError for an archive
 * that cannot be read, or that its lock does not fit.
 */
export async function readLock(input: LockInput, options: ListInputOptions): Promise<Lock> {
  if (typeof input !== "string") return parsed.get(input) ?? parsedLock(input, "the given bytes");
  const lock = await lockIn(input, await readListInput(input, options), options);
  if (lock !== undefined) return lock;
  throw new UsageError(`Cannot use ${quote(input)} as a lock: found none, expected one`, {
    hint: 'Make one with "imgpack lock".',
  });
}

/** What the files of `-f` are to `pull`. */
export interface FoundLock {
  /** Undefined if they are lists. */
  readonly lock?: Uint8Array;
  /** A need list. */
  readonly need?: Uint8Array;
  /** What pipes have, once they were read. */
  readonly known?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Finds out whether a single input is a lock, an archive with one, or a need list.
 *
 * @param isAlone whether there are no other inputs.
 * @throws UsageError for a lock or a need list next to other inputs; as `readLock`.
 */
export async function findLock(
  files: readonly string[],
  isAlone: boolean,
  options: ListInputOptions,
): Promise<FoundLock> {
  const isSingle = isAlone && files.length === 1;
  const known = new Map<string, Uint8Array>();
  for (const path of files) {
    const isPiped = await isPipe(path);
    if (!isSingle && !isPiped) {
      const kind = kindOfStart(await startOf(path, START_BYTES).catch(() => undefined));
      if (kind !== undefined) throw notAlone(path, kind);
      continue;
    }
    const input = await readListInput(path, { ...options, known });
    if (isPiped && input !== "archive") known.set(path, input);
    const kind = input === "archive" ? undefined : kindOfStart(input);
    if (!isSingle && kind !== undefined) throw notAlone(path, kind);
    if (isSingle && kind === "need list" && input !== "archive") return { need: input };
    const lock = isSingle ? await lockIn(path, input, options) : undefined;
    if (lock === undefined) continue;
    const bytes = Buffer.from(formatLock(lock));
    parsed.set(bytes, lock);
    return { lock: bytes };
  }
  return { known };
}

/** The bytes of a list, if it is a lock, and of a pipe in any case: it can be read only once. */
export async function lockInList(
  file: string,
  options: ListInputOptions,
): Promise<{ readonly lock?: Uint8Array; readonly known?: ReadonlyMap<string, Uint8Array> }> {
  const isPiped = await isPipe(file);
  const input = await readListInput(file, options);
  if (input === "archive") return {};
  return { ...(isLock(input) ? { lock: input } : {}), ...(isPiped ? { known: new Map([[file, input]]) } : {}) };
}

async function lockIn(
  path: string,
  input: Uint8Array | "archive",
  { signal }: ListInputOptions,
): Promise<Lock | undefined> {
  if (input !== "archive") return isLock(input) ? parsedLock(input, quote(path)) : undefined;
  await using archive = await openMerged([path], { signal });
  const [file] = archive.members;
  if (file === undefined || archive.volumes !== undefined) return await archive.lock(signal);
  return await readArchiveLock(file.archive, file.images, new KnownLocks(), signal);
}

function parsedLock(bytes: Uint8Array, where: string): Lock {
  return parseLock(bytes, { where, fail: (_reason, message, hint) => new UsageError(message, { hint }) });
}

function kindOfStart(start: Uint8Array | string | undefined): "lock" | "need list" | undefined {
  if (!(start instanceof Uint8Array)) return undefined;
  const bytes = utf8Bytes(start);
  return isLock(bytes) ? "lock" : isNeed(bytes) ? "need list" : undefined;
}

function notAlone(path: string, kind: "lock" | "need list"): UsageError {
  return new UsageError(`Cannot pull ${kind} ${quote(path)}: found other inputs next to it, expected it alone`, {
    hint:
      kind === "lock"
        ? "A lock is pulled whole, so that the archive is the same: pull the others into one of their own."
        : "A patch has nothing but what one bundle needs: pull the others into an archive of their own.",
  });
}
