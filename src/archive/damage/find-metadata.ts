import { LOCK_FILE, LOCK_FORMAT } from "../../bundle/lock/format-lock.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import { MAX_LOCK_BYTES } from "../../bundle/lock/parse-lock.ts";
import { SUMS_FORMAT } from "../../bundle/sums/format-sums.ts";
import { MAX_SUMS_BYTES, parseSums, type ReadSums } from "../../bundle/sums/parse-sums.ts";
import { ArchiveError } from "../../errors.ts";
import { BLOCK_BYTES, hasChecksum, isZero } from "../../tar/header.ts";
import { END_BYTES } from "../../tar/tar-plan.ts";
import { MAX_ENTRIES, padded } from "../../tar/tar-walk.ts";
import { SUMS_FILE } from "../entry-names.ts";
import type { KnownLocks } from "../lock/known-locks.ts";
import type { DamagedFile, OwnHeader } from "./damaged-file.ts";

/** Bytes from the start in which a lock is looked for. */
const MAX_SEARCH_BYTES = 256 * 1024 * 1024;
const STEP_BYTES = 1024 * 1024;
/** Each of what begins as a lock and is none costs as much as a whole lock to read. */
const MAX_CANDIDATES = 16;
const LOCK_START = Buffer.from(`{"format":"${LOCK_FORMAT}"`);
const SUMS_START = Buffer.from(`{"format":"${SUMS_FORMAT}"`);

export interface FoundHeader extends OwnHeader {
  readonly offset: number;
}

/** The headers from the start up to the first block that is none. @param maxEntries for tests: no more are read. */
export async function leadingHeaders(
  file: DamagedFile,
  signal?: AbortSignal,
  maxEntries: number = MAX_ENTRIES,
): Promise<readonly FoundHeader[]> {
  const headers: FoundHeader[] = [];
  for (let offset = 0; headers.length < maxEntries; ) {
    signal?.throwIfAborted();
    const header = await file.header(offset);
    if (header === undefined) break;
    headers.push({ ...header, offset });
    offset += BLOCK_BYTES + padded(header.size);
  }
  return headers;
}

/**
 * Whether nothing is damaged where another program has its first header, or where an archive without lock and sums ends. What
 * is not there is not looked for: that takes as long as it takes to hash some hundred megabytes.
 */
export async function isForeign(file: DamagedFile, headers: readonly FoundHeader[]): Promise<boolean> {
  if (headers.some(({ name }) => name === LOCK_FILE || name === SUMS_FILE)) return false;
  const last = headers.at(-1);
  if (last === undefined) {
    const block = await file.read(0, BLOCK_BYTES);
    return block.length === BLOCK_BYTES && hasChecksum(block);
  }
  const end = last.offset + BLOCK_BYTES + padded(last.size);
  return end + END_BYTES === file.size && isZero(await file.read(end, END_BYTES));
}

/** The sums: by their header, or else by what their text begins with. */
export async function findSums(
  file: DamagedFile,
  headers: readonly FoundHeader[],
  signal?: AbortSignal,
): Promise<{ readonly sums: ReadSums; readonly size: number } | undefined> {
  const last = headers.at(-1);
  const known = last?.name === SUMS_FILE ? last : undefined;
  const found = known ?? (await findFromEnd(file, signal));
  if (found === undefined || found.size > MAX_SUMS_BYTES) return undefined;
  const sums = parseSums(await file.read(found.offset + BLOCK_BYTES, found.size));
  return sums === undefined ? undefined : { sums, size: found.size };
}

/** Sums end where the file ends: others are in a layer that contains an archive. */
async function findFromEnd(file: DamagedFile, signal: AbortSignal | undefined): Promise<FoundHeader | undefined> {
  const least = Math.max(0, file.size - MAX_SUMS_BYTES - END_BYTES);
  const lastBlock = Math.floor(file.size / BLOCK_BYTES) * BLOCK_BYTES;
  for (let end = lastBlock; end > least; end -= STEP_BYTES) {
    signal?.throwIfAborted();
    const start = Math.max(0, end - STEP_BYTES);
    const part = await file.read(start, end - start);
    for (let at = part.length - BLOCK_BYTES; at >= 0; at -= BLOCK_BYTES) {
      const offset = start + at;
      if (isAt(part, at, SUMS_START)) {
        const body = await file.read(offset, file.size - END_BYTES - offset);
        return { name: SUMS_FILE, offset: offset - BLOCK_BYTES, size: trimmed(body) };
      }
      if (!isAt(part, at, Buffer.from(`${SUMS_FILE}\0`))) continue;
      const header = await file.header(offset);
      if (header !== undefined && offset + BLOCK_BYTES + padded(header.size) + END_BYTES === file.size)
        return { ...header, offset };
    }
  }
  return undefined;
}

export interface LockSearch {
  readonly headers: readonly FoundHeader[];
  readonly sums: ReadSums | undefined;
  /** Of the same call. */
  readonly locks: KnownLocks;
}

/** The lock, which is right if its id is: in its place, or the copy in the sums, or else by what its text begins with. */
export async function findLock(
  file: DamagedFile,
  { headers, sums, locks }: LockSearch,
  signal?: AbortSignal,
): Promise<{ readonly lock: Lock; readonly bytes: Uint8Array } | undefined> {
  const header = headers.find(({ name }) => name === LOCK_FILE);
  const row = sums?.files.find(({ name }) => name === LOCK_FILE);
  const candidates = [
    row?.copy,
    header === undefined || header.size > MAX_LOCK_BYTES
      ? undefined
      : await file.read(header.offset + BLOCK_BYTES, header.size),
  ];
  for (const bytes of candidates) {
    const lock = bytes === undefined ? undefined : lockIn(bytes, file.path, locks);
    if (bytes !== undefined && lock !== undefined) return { lock, bytes };
  }
  const end = Math.min(file.size, MAX_SEARCH_BYTES);
  let tried = 0;
  for (let start = 0; start < end; start += STEP_BYTES) {
    signal?.throwIfAborted();
    const part = await file.read(start, Math.min(STEP_BYTES, end - start));
    for (let at = 0; at < part.length; at += BLOCK_BYTES) {
      if (!isAt(part, at, LOCK_START)) continue;
      if (tried === MAX_CANDIDATES) return undefined;
      tried += 1;
      const body = await file.read(start + at, MAX_LOCK_BYTES);
      const nul = body.indexOf(0);
      const bytes = nul === -1 ? body : body.subarray(0, nul);
      const lock = lockIn(bytes, file.path, locks);
      if (lock !== undefined) return { lock, bytes };
    }
  }
  return undefined;
}

function lockIn(bytes: Uint8Array, where: string, locks: KnownLocks): Lock | undefined {
  try {
    return locks.parse(bytes, where);
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

function isAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  return bytes.subarray(at, at + wanted.length).equals(wanted);
}

/** Without the padding. */
function trimmed(body: Buffer): number {
  let end = body.length;
  while (end > 0 && body[end - 1] === 0) end -= 1;
  return end;
}
