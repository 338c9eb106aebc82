import { StorageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { createFile, removeFile } from "../../util/disk.ts";
import { formatBytes, quote } from "../../util/format.ts";
import { checkSpace, checkTarget, storageFault } from "../../util/output-checks.ts";
import { lstat } from "../../util/read-disk.ts";
import { ArchiveJournal } from "./archive-journal.ts";
import type { ArchivePlan } from "./archive-plan.ts";
import { type JournalState, journalState } from "./journal-state.ts";
import { type LeftOver, openLeftOver } from "./left-over.ts";
import { digestPrefix, hash, newNonce, openingRecords, reopenJournal } from "./open-journal.ts";
import type { OpenedPartial, ResumeOptions } from "./opened-partial.ts";
import { PartialArchive } from "./partial-archive.ts";
import { encodeMarker } from "./partial-marker.ts";

/** For an archive that cannot be resumed. */
const NO_COMMAND = "0".repeat(32);
const BLOCK_BYTES = 512;

/**
 * Opens `<path>.partial` and its journal: those of an interrupted run of the same command, or new ones.
 *
 * @throws StorageError if another process writes the same archive, the partial file belongs to another command, or there is
 *   no space.
 */
export async function openPartialArchive(
  path: string,
  plan: ArchivePlan,
  options: ResumeOptions,
  signal?: AbortSignal,
): Promise<PartialArchive> {
  try {
    await checkTarget(path);
    const journal = await ArchiveJournal.claim(`${path}.partial.journal`, path, { onNote: options.onNote, signal });
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
  await using left = await openLeftOver(path, plan, command, state, options.isRenamed);
  const owner = state?.open.command ?? left?.command;
  const holds = (state === undefined ? 0 : sum(state.kept.values())) > 0;
  // With a journal, the file is that of its plan: what follows resumes it, refuses it, or starts over.
  const isKnown = state === undefined || options.isRenamed === true;
  if (left?.isWhole === true && isKnown && options.restart !== true)
    return await adopt(path, plan, command, journal, left);
  if (left !== undefined && options.restart !== true && owner !== command) {
    const isWorthless = owner === NO_COMMAND || left.isEmpty || (state !== undefined && !holds);
    if (!isWorthless) throw foreignPartial(partial, owner === undefined);
  }
  const isSame = left?.isPaired === true && state !== undefined && command !== NO_COMMAND && owner === command;
  // A process that stood still may write to the old file once it continues: right bytes for its plan, wrong ones for another.
  const isUnsafe = journal.isFromSilentOwner && left?.isFinal === false && state?.open.plan !== plan.id;
  if (left === undefined || !isSame || isUnsafe || options.restart === true) {
    if (left?.isFinal === false) await removeFile(partial);
    return await begin(path, plan, command, journal);
  }
  const { file, isFinal } = left;
  const { blocks } = await file.stat();
  await checkSpace(path, plan.totalBytes, blocks * BLOCK_BYTES);
  const isChanged = state.open.plan !== plan.id;
  const kept = left.isWhole ? allBytes(plan) : reusableBytes(plan, state, options.formerDigests);
  if (sum(kept.values()) > 0 && options.onKept === undefined)
    options.onNote?.(resumeNote(path, plan, sum(kept.values()), isChanged));
  const nonce = isChanged
    ? await reopenJournal({ file, journal, plan, command, kept, totalBytes: plan.totalBytes })
    : state.open.nonce;
  if (!isChanged && !isFinal) {
    await file.write(encodeMarker({ nonce, command }), 0);
    await file.truncate(plan.totalBytes);
  }
  left.release();
  return { path, plan, file, journal, nonce, command, kept, isReadOnly: isFinal, isFinal };
}

/**
 * A power cut before the rename may leave a complete file whose journal is lost, and whose marker is gone: only its bytes say
 * what it is. It is compared, and never changed.
 */
async function adopt(
  path: string,
  plan: ArchivePlan,
  command: string,
  journal: ArchiveJournal,
  left: LeftOver,
): Promise<OpenedPartial> {
  const nonce = newNonce();
  await journal.append(openingRecords(plan, nonce, command));
  left.release();
  return {
    path,
    plan,
    file: left.file,
    journal,
    nonce,
    command,
    kept: allBytes(plan),
    isReadOnly: true,
    isFinal: left.isFinal,
  };
}

async function begin(
  path: string,
  plan: ArchivePlan,
  command: string,
  journal: ArchiveJournal,
): Promise<OpenedPartial> {
  await checkSpace(path, plan.totalBytes);
  const nonce = newNonce();
  await journal.append(openingRecords(plan, nonce, command));
  const file = await createFile(`${path}.partial`, 0o644);
  try {
    await file.write(encodeMarker({ nonce, command }), 0);
    await file.truncate(plan.totalBytes);
    return { path, plan, file, journal, nonce, command, kept: new Map(), isReadOnly: false, isFinal: false };
  } catch (error) {
    await removeFile(file.path).catch(() => undefined);
    await file.close();
    throw error;
  }
}

/** Bytes of blobs that have the same offset in the new plan, by their new index. */
function reusableBytes(
  { blobs }: ArchivePlan,
  state: JournalState,
  former: ReadonlyMap<Digest, Digest> = new Map(),
): ReadonlyMap<number, number> {
  const old = new Map([...state.blobs].map(([index, blob]) => [`${blob.digest} ${blob.size} ${blob.offset}`, index]));
  const kept = new Map<number, number>();
  for (const [index, { digest, size, offset }] of blobs.entries()) {
    const keptAs = (name: Digest): number => {
      return state.kept.get(old.get(`${digestPrefix(name)} ${size} ${offset}`) ?? -1) ?? 0;
    };
    const bytes = Math.max(keptAs(digest), keptAs(former.get(digest) ?? digest));
    if (bytes > 0) kept.set(index, bytes);
  }
  return kept;
}

function allBytes({ blobs }: ArchivePlan): ReadonlyMap<number, number> {
  return new Map(blobs.map(({ size }, index) => [index, size]));
}

function resumeNote(path: string, { totalBytes }: ArchivePlan, bytes: number, isChanged: boolean): string {
  const found = `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`;
  return isChanged
    ? `Resuming ${quote(`${path}.partial`)} after the images changed: ${found} kept`
    : `Resuming ${quote(`${path}.partial`)}: ${found} kept`;
}

function foreignPartial(partial: string, isUnknown: boolean): StorageError {
  const found = isUnknown ? "a file without a journal" : "the file of another command";
  return new StorageError(
    `Cannot write ${quote(partial)}: found ${found}, expected nothing or a file of this command`,
    {
      hint: "Finish that command, choose another output name, or remove it and its journal (pull --restart does).",
    },
  );
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
