import { constants } from "node:fs";
import { basename, dirname, join } from "node:path";
import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import { StorageError } from "../../errors.ts";
import { MAX_LOCK_SIGNATURE_BYTES } from "../../oci/signatures/lock-signature.ts";
import { encodeSlotHeader } from "../../tar/tar-plan.ts";
import { removeFile } from "../../util/disk.ts";
import { quote } from "../../util/format.ts";
import { checkSpace, storageFault } from "../../util/output-checks.ts";
import { isOwnedByUser } from "../../util/private-file.ts";
import { lstat, open, readdir, readFile } from "../../util/read-disk.ts";
import { ArchiveJournal } from "../partial/archive-journal.ts";
import { decodeRecords } from "../partial/journal-record.ts";
import { hash } from "../partial/open-journal.ts";
import { decodeMarker, MARKER_BYTES } from "../partial/partial-marker.ts";
import type { PlannedArchive } from "../write/planned-archive.ts";
import { setOfVolume, sumsAt } from "./volume-marks.ts";
import { sumsSignature, type VolumeNames } from "./volume-names.ts";

const BLOCK_BYTES = 512;
const PARTIAL = ".partial";

/** A volume of the set that is to be written. */
export interface WantedVolume {
  readonly path: string;
  readonly planned: PlannedArchive;
}

export interface FindOptions {
  readonly names: VolumeNames;
  /** All in one folder. */
  readonly sumsPaths: readonly string[];
  /** True if other volumes are not looked at. */
  readonly isAlone: boolean;
  /** As in `ResumeOptions`. */
  readonly command: string | undefined;
  readonly restart: boolean | undefined;
}

/** What is there under the names of a set. */
export interface FoundVolumes {
  /** Paths of volumes that are whole, as an interrupted run left them. */
  readonly whole: ReadonlySet<string>;
  /** Volumes of a set with more of them, which is replaced. */
  readonly surplus: readonly string[];
}

/**
 * Looks at what is there under the names of a set, before anything is changed.
 *
 * @throws StorageError for another set, unless it may be replaced, for any other file, and if there is no space.
 */
export async function findVolumes(wanted: readonly WantedVolume[], options: FindOptions): Promise<FoundVolumes> {
  const { names, sumsPaths, command, restart = false, isAlone } = options;
  for (const path of sumsPaths) await checkSumsSignature(sumsSignature(path), await checkSums(path));
  await checkRoom(wanted);
  const isResumed = command !== undefined && (await anyOf(wanted, async one => await isOwnPartial(one, hash(command))));
  const whole = new Set<string>();
  for (const one of wanted) {
    if ((await lstat(one.path).catch(() => undefined)) === undefined) continue;
    const hasPartial = (await lstat(one.path + PARTIAL).catch(() => undefined)) !== undefined;
    if (!restart && !hasPartial && (await isSameVolume(one))) whole.add(one.path);
    else if (restart || isResumed) await checkVolume(one.path);
    else throw oldVolume(one.path);
  }
  const paths = new Set(wanted.map(({ path }) => basename(path)));
  const [sumsPath = ""] = sumsPaths;
  const others = isAlone ? [] : (await namesIn(sumsPath)).filter(name => names.numberIn(name) !== undefined);
  const surplus: string[] = [];
  for (const name of others.filter(one => one.endsWith(".tar") && !paths.has(one))) {
    const path = join(dirname(sumsPath), name);
    if ((await setOfVolume(path)) === undefined) continue;
    if (!restart && !isResumed) throw oldVolume(path);
    surplus.push(path);
  }
  return { whole, surplus };
}

/** Removes volumes that the new set does not have, and what an interrupted run left of such. */
export async function removeSurplus(
  { surplus }: FoundVolumes,
  wanted: readonly string[],
  options: FindOptions,
): Promise<void> {
  const { names, sumsPaths, command, restart = false, isAlone } = options;
  for (const path of surplus) await removeFile(path);
  for (const path of sumsPaths) await removeOldSums(path);
  const [sumsPath = ""] = sumsPaths;
  const paths = new Set(wanted.map(path => basename(path)));
  for (const name of isAlone ? [] : await namesIn(sumsPath)) {
    if (names.numberIn(name) === undefined || !name.endsWith(`.tar${PARTIAL}`)) continue;
    const path = join(dirname(sumsPath), name.slice(0, -PARTIAL.length));
    if (paths.has(basename(path))) continue;
    const marker = await markerOf(path + PARTIAL);
    if (marker === undefined || (!restart && marker !== (command && hash(command)))) continue;
    // Another process may be writing it.
    const journal = await ArchiveJournal.claim(`${path}${PARTIAL}.journal`, path);
    await removeFile(path + PARTIAL);
    await journal.remove();
  }
}

/** The signature of sums that are replaced, also if the new ones are not signed, and what an interrupted run left of sums. */
async function removeOldSums(sumsPath: string): Promise<void> {
  const signature = sumsSignature(sumsPath);
  if ((await lstat(signature).catch(() => undefined)) !== undefined) await removeFile(signature);
  for (const name of await namesIn(sumsPath)) {
    if (!isSumsLeft(name, sumsPath)) continue;
    const path = join(dirname(sumsPath), name);
    const stats = await lstat(path);
    if (stats.isFile() && isOwnedByUser(stats)) await removeFile(path);
  }
}

/** What `replaceFile` leaves if the system ends under it. */
function isSumsLeft(name: string, sumsPath: string): boolean {
  const start = `${basename(sumsPath)}.`;
  return name.startsWith(start) && /^(?:sig\.)?[0-9a-f]{12}\.partial$/.test(name.slice(start.length));
}

async function namesIn(sumsPath: string): Promise<readonly string[]> {
  return (await readdir(dirname(sumsPath))).sort();
}

async function anyOf<T>(values: readonly T[], isSo: (value: T) => Promise<boolean>): Promise<boolean> {
  for (const value of values) if (await isSo(value)) return true;
  return false;
}

/** Of all volumes together: each of them checks its own. */
async function checkRoom(wanted: readonly WantedVolume[]): Promise<void> {
  let [bytes, held, most] = [0, 0, 0];
  for (const { path, planned } of wanted) {
    const { totalBytes } = planned.archive;
    const { blocks = 0 } = (await lstat(path + PARTIAL).catch(() => undefined)) ?? {};
    // What is whole under its name takes no more space.
    const isThere = (await lstat(path).catch(() => undefined))?.size === totalBytes && blocks === 0;
    bytes += totalBytes;
    held += isThere ? totalBytes : blocks * BLOCK_BYTES;
    most = Math.max(most, totalBytes);
  }
  const [first] = wanted;
  if (first === undefined) return;
  await checkSpace(first.path, bytes, held, most).catch((cause: unknown) => {
    throw storageFault(first.path, bytes, cause);
  });
}

/** Whether the file begins as the volume, up to its lock, which names all its blobs. */
async function isSameVolume({ path, planned: { contents, tar } }: WantedVolume): Promise<boolean> {
  const stats = await lstat(path);
  if (!stats.isFile() || stats.size !== tar.totalBytes) return false;
  const end = contents.files.findIndex(({ name }) => name === LOCK_FILE) + 1;
  for (const { name, bytes } of contents.files.slice(0, end)) {
    const slot = tar.slots.get(name);
    if (slot === undefined || bytes === undefined) return false;
    const wanted = Buffer.concat([encodeSlotHeader(slot), bytes]);
    if (!wanted.equals(await bytesAt(path, slot.headerOffset, wanted.length))) return false;
  }
  return true;
}

/** Whether a run of this command has begun this volume, or left it whole without its name. */
async function isOwnPartial({ path, planned }: WantedVolume, command: string): Promise<boolean> {
  const first = await bytesAt(path + PARTIAL, 0, MARKER_BYTES).catch(() => Buffer.alloc(0));
  if (first.equals(planned.archive.firstBlock) || decodeMarker(first)?.command === command) return true;
  const journal = `${path}${PARTIAL}.journal`;
  const isFile = (await lstat(journal).catch(() => undefined))?.isFile() === true;
  const records = [...decodeRecords(isFile ? await readFile(journal) : Buffer.alloc(0))];
  return records.findLast(record => record.type === "open")?.command === command;
}

async function markerOf(path: string): Promise<string | undefined> {
  return decodeMarker(await bytesAt(path, 0, MARKER_BYTES).catch(() => Buffer.alloc(0)))?.command;
}

async function bytesAt(path: string, position: number, length: number): Promise<Buffer> {
  // Opening a pipe would wait for who writes into it.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}

/** @throws StorageError for a file that is no volume of a set: it is never replaced. */
async function checkVolume(path: string): Promise<void> {
  if ((await setOfVolume(path)) !== undefined) return;
  throw new StorageError(`Cannot write ${quote(path)}: found something else than a volume of imgpack, expected none`, {
    hint: "Rename or remove it, or choose another output name.",
  });
}

/** @returns whether it is there. @throws StorageError for a file of this name with something else than sums in it. */
async function checkSums(path: string): Promise<boolean> {
  const found = await sumsAt(path);
  if (found !== "another") return found === "sums";
  throw new StorageError(`Cannot write ${quote(path)}: found something else than sums of volumes, expected none`, {
    hint: "Rename or remove it, or choose another output name.",
  });
}

/** @throws StorageError for a file that cannot be a signature of sums: it has no mark, so the sums must be next to it. */
async function checkSumsSignature(path: string, hasSums: boolean): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined || (hasSums && stats.isFile() && stats.size <= MAX_LOCK_SIGNATURE_BYTES)) return;
  throw new StorageError(`Cannot write ${quote(path)}: found something else than a signature of sums, expected none`, {
    hint: "Rename or remove it, or choose another output name.",
  });
}

function oldVolume(path: string): StorageError {
  return new StorageError(`Cannot write ${quote(path)}: found a file of an earlier run, expected none`, {
    hint: "Remove the old volumes, choose another output name, or replace the whole set with --restart.",
  });
}
