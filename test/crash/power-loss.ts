// Runs of pull that are recorded, cut off at any instant, and gone on with from what a disk may hold then.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeRecords, encodeRecord, type JournalRecord } from "../../src/archive/partial/journal-record.ts";
import { decodeMarker, MARKER_BYTES } from "../../src/archive/partial/partial-marker.ts";
import { RECORD_BYTES } from "../../src/util/lock/record-frame.ts";
import type { Operation } from "../../src/util/operation-hook.ts";
import { CrashModel, type CrashState, type FolderState } from "./crash-model.ts";
import { OperationLog } from "./operation-log.ts";
import { type PullChoices, pullImage, scratchFolder, type TestImage } from "./pulling.ts";
import type { Seeded } from "./seeded.ts";

const OUTPUT = "out.tar";
const PARTIAL = "out.tar.partial";
const JOURNAL = "out.tar.partial.journal";
const OTHER_BOOT = "b".repeat(32);

export interface ReferenceImage {
  readonly image: TestImage;
  readonly bytes: Buffer;
}

export interface Run extends PullChoices {
  readonly of: ReferenceImage;
  /** Share of its operations after which the process ends; without it, it lives on. */
  readonly killedAt?: number;
}

export interface Recording {
  readonly name: string;
  readonly model: CrashModel;
  readonly instants: number;
  readonly before: FolderState;
  /** As the last run was. */
  readonly last: Run;
  /** Not all runs were about the same image. */
  readonly isMoved: boolean;
}

/**
 * Does the runs one after the other in one folder.
 *
 * @param forgets operations that the model is not told of, as if the program left them out.
 */
export async function recordRuns(
  name: string,
  runs: readonly Run[],
  before: FolderState,
  forgets: (operation: Operation) => boolean = () => false,
): Promise<Recording> {
  const folder = await scratchFolder();
  try {
    for (const [file, bytes] of before) await writeFile(join(folder, file), bytes);
    const log = new OperationLog();
    let last: Run | undefined;
    for (const run of runs) {
      last = run;
      const killAt = run.killedAt === undefined ? undefined : Math.floor((await countOf(run)) * run.killedAt);
      const work = async (): Promise<unknown> => await pullImage(run.of.image, join(folder, OUTPUT), run);
      const { error } = await log.record(work, killAt, killAt !== undefined && killAt % 2 === 0);
      if (killAt === undefined && error !== undefined) throw error;
    }
    if (last === undefined) throw new RangeError("no run to record");
    const operations = log.operations.filter(operation => !forgets(operation));
    const isMoved = new Set(runs.map(({ of }) => of)).size > 1;
    return { name, model: new CrashModel(before, operations), instants: log.instants, before, last, isMoved };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Operations of a run from nothing. */
async function countOf(run: Run): Promise<number> {
  const folder = await scratchFolder();
  try {
    const work = async (): Promise<unknown> => await pullImage(run.of.image, join(folder, OUTPUT), run);
    return (await new OperationLog().record(work)).count;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What a state promises, read from its journal without the code under test that does so. */
export interface Promised {
  /** By journal index: bytes, and where they are. */
  readonly blobs: readonly { readonly digest: string; readonly offset: number; readonly bytes: number }[];
  readonly isPaired: boolean;
  readonly isDone: boolean;
}

export interface BlobCounts {
  states: number;
  rebooted: number;
  kept: number;
  fetched: number;
  paired: number;
  finals: number;
  readonly seen: Set<string>;
}

/** Goes on from a state. @throws when anything but the right file comes of it. */
export async function recover(
  { last, before, name, isMoved }: Recording,
  state: CrashState,
  choices: {
    readonly isRebooted: boolean;
    readonly folder: string;
    readonly tally: BlobCounts;
  },
): Promise<void> {
  const { isRebooted, folder, tally } = choices;
  const { of } = last;
  const files = new Map(state.files);
  const journal = files.get(JOURNAL);
  if (journal !== undefined && isRebooted) files.set(JOURNAL, afterReboot(journal));
  const key = fingerprint(files, `${name} ${isRebooted} ${of.bytes.length}`);
  if (tally.seen.has(key)) return;
  tally.seen.add(key);
  const fail = (what: string): never => {
    throw new Error(`${name}, ${isRebooted ? "rebooted" : "not rebooted"}, ${state.how}: ${what}`);
  };
  const final = files.get(OUTPUT);
  if (final !== undefined && !final.equals(last.of.bytes)) {
    const old = before.get(OUTPUT);
    if (old === undefined || !final.equals(old)) fail("something unfinished under the final name");
  }
  const promised = promisesOf(files, isRebooted);
  const data = files.get(PARTIAL) ?? final;
  if (isRebooted && promised.isPaired && data !== undefined) {
    for (const { digest, offset, bytes } of promised.blobs) {
      const right = last.of.image.prefixes.get(digest)?.subarray(0, bytes);
      if (right !== undefined && !data.subarray(offset, offset + bytes).equals(right))
        fail(`the journal promises ${bytes} bytes of ${digest} at ${offset} that are not there`);
    }
  }
  await mkdir(folder);
  try {
    for (const [file, bytes] of files) await writeFile(join(folder, file), bytes);
    // Asked for once; a second time is the user's to say.
    const again = { command: last.command, checkpointBytes: 1024 * 1024 };
    const fetched = await pullImage(of.image, join(folder, OUTPUT), again).catch(error => fail(String(error)));
    const left = await readdir(folder);
    if (left.join() !== OUTPUT) fail(`left ${left.join()}`);
    if (!(await readFile(join(folder, OUTPUT))).equals(of.bytes)) fail("wrong bytes");
    // A complete file needs no journal.
    const isComplete = files.get(PARTIAL)?.equals(of.bytes) === true;
    const kept = isComplete ? of.image.bytes : promised.blobs.reduce((sum, { bytes }) => sum + bytes, 0);
    if (fetched < of.image.bytes - kept) fail(`fetched ${fetched}, but only ${kept} may be trusted`);
    const isResumable = promised.isPaired && last.command !== null && !isMoved;
    if (isRebooted && isResumable && fetched !== of.image.bytes - kept) {
      fail(`fetched ${fetched} of ${of.image.bytes}, though ${kept} are there`);
    }
    tally.fetched += fetched;
    tally.kept += of.image.bytes - fetched;
    tally.paired += isResumable ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true });
  }
  tally.states += 1;
  tally.rebooted += isRebooted ? 1 : 0;
  tally.finals += final?.equals(last.of.bytes) === true ? 1 : 0;
}

/** Claims of another boot: what was written but not synced does not count any more. */
export function afterReboot(journal: Buffer): Buffer {
  const bytes = Buffer.from(journal);
  for (let at = bytes.indexOf("IPJ1"); at !== -1; at = bytes.indexOf("IPJ1", at + 1)) {
    const [record] = decodeRecords(bytes.subarray(at, at + RECORD_BYTES));
    if (record?.type !== "claim") continue;
    bytes.set(encodeRecord({ ...record, started: { boot: OTHER_BOOT, ticks: record.started?.ticks ?? 0 } }), at);
  }
  return bytes;
}

export function promisesOf(files: FolderState, isRebooted: boolean): Promised {
  const records: readonly JournalRecord[] = [...decodeRecords(files.get(JOURNAL) ?? Buffer.alloc(0))];
  const open = records.findLast(record => record.type === "open");
  const nothing = { blobs: [], isPaired: false, isDone: false };
  if (open === undefined) return nothing;
  const blobs = new Map<number, { digest: string; offset: number; size: number; bytes: number }>();
  const before = new Set(records.flatMap(record => (record.type === "claim" && isOld(record) ? [record.id] : [])));
  let isDone = false;
  for (const record of records) {
    if (!("nonce" in record) || record.nonce !== open.nonce) continue;
    if (record.type === "blob") blobs.set(record.index, { ...record, bytes: 0 });
    if (record.type === "done") isDone = true;
    if (record.type !== "progress" && record.type !== "reset") continue;
    const blob = blobs.get(record.index);
    if (blob === undefined) continue;
    if (record.type === "reset") blob.bytes = 0;
    else if (record.isDurable || !(isRebooted || before.has(record.claim)))
      blob.bytes = Math.max(blob.bytes, record.bytes);
  }
  const partial = files.get(PARTIAL);
  const marker = partial === undefined ? undefined : decodeMarker(partial.subarray(0, MARKER_BYTES));
  // Its first block comes after all others are synced.
  const isWhole =
    partial?.subarray(0, "oci-layout".length).equals(Buffer.from("oci-layout")) === true &&
    [...blobs.values()].every(blob => isThere(partial, blob));
  if (isDone || isWhole) for (const blob of blobs.values()) blob.bytes = blob.size;
  const isPaired = partial === undefined ? isDone : isWhole || marker?.nonce === open.nonce;
  return isPaired ? { blobs: [...blobs.values()], isPaired, isDone } : nothing;
}

function isThere(
  file: Buffer,
  { digest, offset, size }: { readonly digest: string; readonly offset: number; readonly size: number },
): boolean {
  return createHash("sha256")
    .update(file.subarray(offset, offset + size))
    .digest("hex")
    .startsWith(digest);
}

function isOld(record: Extract<JournalRecord, { type: "claim" }>): boolean {
  return record.started?.boot === OTHER_BOOT;
}

function fingerprint(files: FolderState, salt: string): string {
  const hash = createHash("sha1").update(salt);
  for (const [file, bytes] of files) hash.update(`${file} ${bytes.length}\n`).update(bytes);
  return hash.digest("base64");
}

/** A state after a power cut that has something to go on with. */
export function stateWorthKeeping({ model, instants }: Recording, random: Seeded): FolderState {
  for (;;) {
    const { files } = model.crash(1 + random.whole(instants), random);
    const rebooted = new Map(files);
    const journal = files.get(JOURNAL);
    if (journal !== undefined) rebooted.set(JOURNAL, afterReboot(journal));
    if (files.has(PARTIAL) && promisesOf(rebooted, true).blobs.some(({ bytes }) => bytes > 0)) return rebooted;
  }
}
