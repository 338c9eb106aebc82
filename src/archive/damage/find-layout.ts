import { LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import type { Lock, LockedSet } from "../../bundle/lock/lock.ts";
import { PIECE_BYTES } from "../../bundle/need/parse-need.ts";
import { type FileToSum, sumsBytes } from "../../bundle/sums/format-sums.ts";
import { MAX_SUMS_BYTES, type ReadSums } from "../../bundle/sums/parse-sums.ts";
import type { SummedBlob, SummedFile } from "../../bundle/sums/sums.ts";
import { ArchiveError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { BLOCK_BYTES } from "../../tar/header.ts";
import { planTar, type TarSlot } from "../../tar/tar-plan.ts";
import { padded } from "../../tar/tar-walk.ts";
import { blobName, digestInName } from "../blob-name.ts";
import { parsePartName, partName, SIGNATURE_FILE, SUMS_FILE } from "../entry-names.ts";
import type { KnownLocks } from "../lock/known-locks.ts";
import type { DamagedFile } from "./damaged-file.ts";
import { type FoundHeader, findLock, findSums, isForeign, leadingHeaders } from "./find-metadata.ts";

/** Where an archive of imgpack has each entry, whatever became of its headers. */
export interface Layout {
  /** In file order. */
  readonly slots: readonly LayoutSlot[];
  readonly totalBytes: number;
  readonly lock: Lock;
  /** Of the lock. */
  readonly lockBytes: Uint8Array;
  /** Undefined if nothing of them is left. */
  readonly sums: ReadSums | undefined;
}

export interface LayoutSlot extends TarSlot {
  /** Of a blob, or of a part of one. */
  readonly digest?: Digest | undefined;
  readonly part?: SummedBlob["part"];
  /** What the sums say of its pieces. */
  readonly pieces?: SummedBlob["pieces"] | undefined;
  /** Of any other entry: what the sums say of it. */
  readonly file?: SummedFile | undefined;
}

type Entry = Pick<LayoutSlot, "name" | "size" | "digest" | "part" | "file">;

const KIND_ORDER = ["manifest", "config", "layer"] as const;

/**
 * Finds out where the entries of a file are, from what is left of its lock, its sums and its headers.
 *
 * @returns undefined for a file that imgpack did not write as it is, and for one of which too little is left.
 */
export async function findLayout(
  file: DamagedFile,
  locks: KnownLocks,
  signal?: AbortSignal,
): Promise<Layout | undefined> {
  const headers = await leadingHeaders(file, signal);
  if (await isForeign(file, headers)) return undefined;
  const found = await findSums(file, headers, signal);
  const locked = await findLock(file, { headers, sums: found?.sums, locks }, signal);
  if (locked === undefined) return undefined;
  const { lock, bytes } = locked;
  if (found === undefined && lock.set !== undefined) {
    const entries = entriesOfCut(file, lock, lock.set, headers);
    if (entries === undefined) return undefined;
    const { slots, totalBytes } = planTar(entries);
    return { slots: slotsOf(entries, slots, undefined), totalBytes, lock, lockBytes: bytes, sums: undefined };
  }
  // A line of damaged sums may be missing; headers that are right are all there.
  const intact = found?.sums.isIntact === true ? found.sums : undefined;
  const files = intact?.files ?? (await filesBefore(headers, found?.sums, bytes));
  const entries = entriesOf(lock, files, found?.sums, headers);
  if (entries === undefined) return undefined;
  const size =
    intact === undefined ? await sumsSize(file, entries, found?.sums, headers, lock.set !== undefined) : found?.size;
  if (size === undefined) return undefined;
  try {
    const { slots, totalBytes } = planTar([...entries, { name: SUMS_FILE, size }]);
    const layout = slotsOf(entries, slots, found?.sums);
    if (!headers.every(({ name, size, offset }) => isSlot(slots.get(name), size, offset))) return undefined;
    if (headers.length < slots.size && !(await hasMost(file, layout, signal))) return undefined;
    return { slots: layout, totalBytes, lock, lockBytes: bytes, sums: found?.sums };
  } catch (error) {
    if (error instanceof ArchiveError) return undefined;
    throw error;
  }
}

/**
 * Entries of a volume that lost its end, and the sums with it: those that its headers name. What came after them, the lock says.
 *
 * @returns undefined for a volume that has bytes after the body of its last header.
 */
function entriesOfCut(
  file: DamagedFile,
  { blobs }: Lock,
  { where }: LockedSet,
  headers: readonly FoundHeader[],
): readonly Entry[] | undefined {
  const last = headers.at(-1);
  if (last === undefined || file.size >= last.offset + BLOCK_BYTES + padded(last.size) + BLOCK_BYTES) return undefined;
  const known = new Map(
    blobs.map(({ digest, size }, index) => [digest, { size, parts: [where[index] ?? []].flat().length }]),
  );
  const entries = headers.map(({ name, size }): Entry | undefined => {
    const split = parsePartName(name);
    const digest = split?.digest ?? digestInName(name);
    const blob = digest === undefined ? undefined : known.get(digest);
    if (digest === undefined || blob === undefined) return { name, size, file: { name, size, sha256: "" } };
    if (split === undefined) return size === blob.size ? { name, size, digest } : undefined;
    const { part: number } = split;
    // Where a part between others begins in the blob, only the sums say.
    if (number === 1) return { name, size, digest, part: { number, from: 0, to: size } };
    if (number === blob.parts) return { name, size, digest, part: { number, from: blob.size - size, to: blob.size } };
    return { name, size };
  });
  return entries.every(entry => entry !== undefined) ? entries : undefined;
}

function slotsOf(
  entries: readonly Entry[],
  slots: ReadonlyMap<string, TarSlot>,
  sums: ReadSums | undefined,
): readonly LayoutSlot[] {
  const pieces = new Map(sums?.blobs.map(row => [`${row.digest} ${row.part?.number}`, row.pieces]));
  return [...slots.values()].map((slot, index) => {
    const entry = entries[index];
    return { ...entry, ...slot, pieces: pieces.get(`${entry?.digest} ${entry?.part?.number}`) };
  });
}

/** Entries before the blobs, by their headers if the first blob has one, or else by the sums. */
async function filesBefore(
  headers: readonly FoundHeader[],
  sums: ReadSums | undefined,
  lock: Uint8Array,
): Promise<readonly SummedFile[]> {
  const rows = new Map(sums?.files.map(row => [row.name, row]));
  const isBlob = ({ name }: FoundHeader): boolean => digestInName(name) !== undefined || name === SUMS_FILE;
  const first = headers.findIndex(isBlob);
  // A file that was cut right after its lock has no blob.
  const end = first === -1 && headers.at(-1)?.name === LOCK_FILE ? headers.length : first;
  if (end === -1) return sums?.files ?? [];
  return headers.slice(0, end).map(({ name, size }) => {
    const row = rows.get(name);
    const isLock = name === LOCK_FILE && size === lock.length;
    return row?.size === size ? row : { name, size, sha256: "", ...(isLock ? { copy: lock } : {}) };
  });
}

function entriesOf(
  lock: Lock,
  files: readonly SummedFile[],
  sums: ReadSums | undefined,
  headers: readonly FoundHeader[],
): readonly Entry[] | undefined {
  const fileEntries = files.map((file): Entry => ({ name: file.name, size: file.size, file }));
  const order = sums?.order;
  if (order === undefined && lock.set !== undefined) return undefined;
  const blobs = lock.blobs.map(({ digest, size, kind }) => ({ name: blobName(digest), size, digest, kind }));
  if (order === undefined) {
    return [...fileEntries, ...KIND_ORDER.flatMap(kind => blobs.filter(blob => blob.kind === kind))];
  }
  const parts = (sums?.blobs ?? []).flatMap(({ digest, part }): readonly Entry[] =>
    part === undefined ? [] : [{ name: partName(digest, part.number), size: part.to - part.from, digest, part }],
  );
  const known = new Map<string, Entry>([...fileEntries, ...blobs, ...parts].map(entry => [entry.name, entry]));
  const sizes = new Map(headers.map(({ name, size }) => [name, size]));
  const entries = order.map((name): Entry | undefined => {
    const entry = known.get(name);
    const size = sizes.get(name);
    if (entry !== undefined || size === undefined) return entry;
    const part = parsePartName(name);
    return part === undefined ? { name, size } : { name, size, digest: part.digest };
  });
  return entries.every(entry => entry !== undefined) ? entries : undefined;
}

/** Bytes of sums that are damaged or lost: they follow from the other entries. */
async function sumsSize(
  file: DamagedFile,
  entries: readonly Entry[],
  sums: ReadSums | undefined,
  headers: readonly FoundHeader[],
  isVolume: boolean,
): Promise<number | undefined> {
  const known = headers.find(({ name }) => name === SUMS_FILE)?.size;
  if (known !== undefined) return known;
  const pieceBytes = sums?.pieceBytes ?? PIECE_BYTES;
  const files: FileToSum[] = [];
  const isElsewhere = (name: string): boolean => name === LOCK_FILE && isVolume;
  let offset = 0;
  for (const { name, size, file: row } of entries) {
    if (row === undefined) break;
    if (size > MAX_SUMS_BYTES) return undefined;
    const bytes = row.copy ?? (await file.read(offset + BLOCK_BYTES, size));
    files.push({ name, bytes, copy: isElsewhere(name) ? undefined : name === SIGNATURE_FILE ? "base64" : "text" });
    offset += BLOCK_BYTES + padded(size);
  }
  const blobs = entries.flatMap(({ digest, size, part }) =>
    digest !== undefined && size > pieceBytes ? [{ digest, size, part }] : [],
  );
  const bytes = sumsBytes({ pieceBytes, files, order: sums?.order, blobs });
  return bytes > MAX_SUMS_BYTES ? undefined : bytes;
}

/** Other programs that pack an archive again write other headers, and most damage leaves most headers. */
async function hasMost(
  file: DamagedFile,
  slots: readonly LayoutSlot[],
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const expected = slots.filter(({ bodyOffset }) => bodyOffset <= file.size);
  let found = 0;
  for (const { name, size, headerOffset } of expected) {
    signal?.throwIfAborted();
    const header = await file.header(headerOffset);
    if (header?.name === name && header.size === size) found += 1;
  }
  return 2 * found >= expected.length;
}

function isSlot(slot: TarSlot | undefined, size: number, offset: number): boolean {
  return slot?.headerOffset === offset && slot.size === size;
}
