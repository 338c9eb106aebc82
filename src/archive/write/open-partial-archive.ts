import { createHash, randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { lstat } from "node:fs/promises";
import { StorageError } from "../../errors.ts";
import { createFile, type DiskFile, openForUpdate, removeFile } from "../../util/disk.ts";
import { formatBytes, quote } from "../../util/format.ts";
import { checkSpace, checkTarget, storageFault } from "../../util/output-checks.ts";
import { isOwn } from "../../util/process-identity.ts";
import { ArchiveJournal } from "./archive-journal.ts";
import type { JournalRecord } from "./journal-record.ts";
import { type JournalState, journalState } from "./journal-state.ts";
import { type ArchivePlan, type OpenedPartial, PartialArchive, type ResumeOptions } from "./partial-archive.ts";
import { decodeMarker, encodeMarker, MARKER_BYTES } from "./partial-marker.ts";

/** Of an archive that nobody means to go on with. */
const NO_COMMAND = "0".repeat(32);
const DIGEST_PREFIX = 32;
const BLOCK_BYTES = 512;

/**
 * Opens `<path>.partial` and its journal: what an earlier run of the same command left, or a new one.
 *
 * @throws StorageError when another process writes the same archive, when the partial file belongs to another command,
 *   or when the space for it is missing.
 */
export async function openPartialArchive(
  path: string,
  plan: ArchivePlan,
  options: ResumeOptions,
): Promise<PartialArchive> {
  try {
    await checkTarget(path);
    const journal = await ArchiveJournal.claim(`${path}.partial.journal`, path);
    try {
      const opened = await openClaimed(path, plan, options, journal);
      return new PartialArchive(opened, options);
    } catch (error) {
      const isLeft =
        journal.records.length > 0 && (await lstat(`${path}.partial`).catch(() => undefined)) !== undefined;
      await (isLeft ? journal.release() : journal.remove()).catch(() => undefined);
      throw error;
    }
  } catch (cause) {
    throw storageFault(path, plan.totalBytes, cause);
  }
}

async function openClaimed(
  path: string,
  plan: ArchivePlan,
  options: ResumeOptions,
  journal: ArchiveJournal,
): Promise<OpenedPartial> {
  const partial = `${path}.partial`;
  const command = options.command === undefined ? NO_COMMAND : hash(options.command);
  const state = journalState(journal.records, journal.claim);
  await using left = await openLeftOver(path, plan, command, state);
  const owner = state?.open.command ?? left?.command;
  const holds = (state === undefined ? 0 : sum(state.kept.values())) > 0;
  if (left !== undefined && options.restart !== true && owner !== command) {
    const isWorthless = owner === NO_COMMAND || left.isEmpty || (state !== undefined && !holds);
    if (!isWorthless) throw ofAnother(partial, owner === undefined);
  }
  const isSame = left?.isPaired === true && state !== undefined && command !== NO_COMMAND && owner === command;
  if (left === undefined || !isSame || options.restart === true) {
    if (left?.isFinal === false) await removeFile(partial);
    return await begin(path, plan, command, journal);
  }
  const { file, isFinal } = left;
  const { blocks } = await file.stat();
  await checkSpace(path, plan.totalBytes, blocks * BLOCK_BYTES);
  const isChanged = state.open.plan !== plan.id;
  const kept = stillFitting(plan, state);
  // Where nothing fits it is a new archive, and nothing is worth a word.
  if (sum(kept.values()) > 0) options.onNote?.(noteOf(path, plan, sum(kept.values()), isChanged));
  const nonce = isChanged ? await reopen(file, plan, command, journal, kept) : state.open.nonce;
  if (!isChanged && !isFinal) {
    await file.write(encodeMarker({ nonce, command }), 0);
    await file.truncate(plan.totalBytes);
  }
  left.release();
  return { path, plan, file, journal, nonce, kept, isFinal };
}

interface LeftOver extends AsyncDisposable {
  readonly file: DiskFile;
  /** What its marker says; undefined without one. */
  readonly command: string | undefined;
  /** No byte of it was ever written. */
  readonly isEmpty: boolean;
  /** The journal is about this file. */
  readonly isPaired: boolean;
  /** It has its final name already: only the journal was left to remove. */
  readonly isFinal: boolean;
  /** The file stays open. */
  release(): void;
}

async function openLeftOver(
  path: string,
  plan: ArchivePlan,
  command: string,
  state: JournalState | undefined,
): Promise<LeftOver | undefined> {
  const partial = `${path}.partial`;
  const found = await lstat(partial).catch(() => undefined);
  const isFinal =
    found === undefined && state?.isDone === true && state.open.plan === plan.id && state.open.command === command;
  const final = isFinal ? await lstat(path).catch(() => undefined) : undefined;
  if (found === undefined && final?.size !== plan.totalBytes) return undefined;
  if (found !== undefined && !isOwnFile(found)) {
    throw new StorageError(`Cannot write ${quote(partial)}: found something else than a partial file, expected none`, {
      hint: "Remove it, or choose another output name.",
    });
  }
  const file = await openForUpdate(isFinal ? path : partial);
  const first = Buffer.alloc(MARKER_BYTES);
  await file.read(first, 0);
  const marker = decodeMarker(first);
  const isWhole = state?.open.plan === plan.id && first.equals(plan.firstBlock);
  let isKept = false;
  return {
    file,
    command: marker?.command,
    isEmpty: first.every(byte => byte === 0),
    isPaired: isWhole || (marker !== undefined && marker.nonce === state?.open.nonce),
    isFinal,
    release: () => {
      isKept = true;
    },
    [Symbol.asyncDispose]: async () => (isKept ? undefined : await file.close()),
  };
}

function isOwnFile(stats: Stats): boolean {
  return stats.isFile() && stats.nlink === 1 && isOwn(stats);
}

async function begin(
  path: string,
  plan: ArchivePlan,
  command: string,
  journal: ArchiveJournal,
): Promise<OpenedPartial> {
  await checkSpace(path, plan.totalBytes);
  const nonce = randomBytes(8).toString("hex");
  await journal.append(openingRecords(plan, nonce, command));
  const file = await createFile(`${path}.partial`, 0o644);
  try {
    await file.write(encodeMarker({ nonce, command }), 0);
    await file.truncate(plan.totalBytes);
    return { path, plan, file, journal, nonce, kept: new Map(), isFinal: false };
  } catch (error) {
    await removeFile(file.path).catch(() => undefined);
    await file.close();
    throw error;
  }
}

/** The same file for another plan. A crash halfway leaves file and journal that do not belong together: all is fetched again. */
async function reopen(
  file: DiskFile,
  plan: ArchivePlan,
  command: string,
  journal: ArchiveJournal,
  kept: ReadonlyMap<number, number>,
): Promise<string> {
  const nonce = randomBytes(8).toString("hex");
  await file.write(encodeMarker({ nonce, command }), 0);
  await file.truncate(plan.totalBytes);
  // Before blobs of the new plan take the place of those that the journal still speaks of.
  await file.datasync();
  const progress = [...kept].map(([index, bytes]): JournalRecord => {
    return { type: "progress", nonce, index, bytes, isDurable: true, claim: journal.claim.id };
  });
  await journal.append([...openingRecords(plan, nonce, command), ...progress]);
  await journal.sync();
  return nonce;
}

function openingRecords(plan: ArchivePlan, nonce: string, command: string): readonly JournalRecord[] {
  const { id, totalBytes, blobs } = plan;
  return [
    { type: "open", nonce, plan: id, command, totalBytes },
    ...blobs.map(({ digest, size, offset }, index): JournalRecord => {
      return { type: "blob", nonce, index, size, offset, digest: digestPrefix(digest) };
    }),
  ];
}

/** Blobs that the new plan has at the same place. */
function stillFitting({ blobs }: ArchivePlan, state: JournalState): ReadonlyMap<number, number> {
  const old = new Map([...state.blobs].map(([index, blob]) => [`${blob.digest} ${blob.size} ${blob.offset}`, index]));
  const kept = new Map<number, number>();
  for (const [index, { digest, size, offset }] of blobs.entries()) {
    const bytes = state.kept.get(old.get(`${digestPrefix(digest)} ${size} ${offset}`) ?? -1);
    if (bytes !== undefined) kept.set(index, bytes);
  }
  return kept;
}

function digestPrefix(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, DIGEST_PREFIX);
}

function noteOf(path: string, { totalBytes }: ArchivePlan, bytes: number, isChanged: boolean): string {
  const found = `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
  return isChanged
    ? `The images changed since ${quote(`${path}.partial`)} was begun: going on with the ${found} that are still right`
    : `Going on with ${quote(`${path}.partial`)}: ${found} are there`;
}

function ofAnother(partial: string, isUnknown: boolean): StorageError {
  const found = isUnknown ? "a file that no journal tells of" : "what another command began";
  return new StorageError(`Cannot write ${quote(partial)}: found ${found}, expected nothing or this command's`, {
    hint: "Finish that command, choose another output name, or remove it and its journal (pull --restart does).",
  });
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}

/** 16 bytes in hex. */
export function hash(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, DIGEST_PREFIX);
}
