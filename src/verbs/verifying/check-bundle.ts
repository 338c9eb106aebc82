import { type BlobRange, type BlobState, checkBlob } from "../../archive/damage/check-blobs.ts";
import type { FrameFault } from "../../archive/damage/check-frame.ts";
import type { LayoutSlot } from "../../archive/damage/find-layout.ts";
import type { OpenedLayout } from "../../archive/damage/open-layout.ts";
import type { Lock, LockedBlob } from "../../bundle/lock/lock.ts";
import type { Need, NeededBlob } from "../../bundle/need/need.ts";
import type { BlobSource } from "../../content/contracts.ts";
import { hashBlob } from "../../content/hash-blob.ts";
import { joinedBlob } from "../../content/joined-blob.ts";
import { type OnProgress, underWay } from "../../content/progress.ts";
import { IntegrityError, InternalError, StorageError } from "../../errors.ts";
import { type Digest, digestAlgorithm } from "../../oci/digest.ts";
import { append, appendTo } from "../../util/append.ts";
import type { ArchiveFault } from "./archive-fault.ts";
import { harmedImages } from "./harmed-images.ts";

export interface BundleCheck {
  readonly lock: Lock;
  readonly faults: readonly ArchiveFault[];
  /** Names of images that are whole, and of those that are not; digests of images without a name. */
  readonly unharmed: readonly string[];
  readonly harmed: readonly string[];
  /** What has to be fetched again; undefined if nothing. */
  readonly need: Need | undefined;
}

export interface CheckOptions {
  /** Whether faults name the file. */
  readonly isOneOfSeveral: boolean;
  /** Whether pieces are hashed of blobs that are right, too. */
  readonly withPieces: boolean;
  /** Blobs that are hashed; of others is assumed that they are right. */
  readonly isHashed: (blob: Digest) => boolean;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** A file of a bundle, and what is wrong with it outside of blobs. */
export interface OpenedBundle extends Omit<OpenedLayout, "layout"> {
  readonly layout: Omit<OpenedLayout["layout"], "lockBytes">;
  readonly frame: readonly FrameFault[];
  /** What manifests name and an archive that is no volume does not contain; notes say what is odd about them. */
  readonly absent: { readonly texts: readonly string[]; readonly notes: readonly string[] };
}

interface Checked extends BlobState {
  readonly opened: OpenedBundle;
}

/** Checks the files of one bundle, each from front to back, as media like to be read. It continues after a fault. */
export async function checkBundle(files: readonly OpenedBundle[], options: CheckOptions): Promise<BundleCheck> {
  const { signal, onProgress, withPieces, isHashed } = options;
  const lock = files[0]?.layout.lock;
  if (lock === undefined) throw new InternalError("Cannot check bundle: found no file of it, expected one");
  const present = new Set(files.map(({ layout }) => layout.lock.set?.number));
  const faults: ArchiveFault[] = [];
  const states = new Map<Digest, Checked[]>();
  for (const opened of files) {
    const { file, layout, frame } = opened;
    const where = options.isOneOfSeveral ? { archive: file.path } : {};
    for (const fault of frame) faults.push({ ...frameFault(fault), ...where });
    for (const slot of layout.slots) {
      const { digest } = slot;
      if (digest === undefined) continue;
      const onBytes = (delta: number): void => onProgress({ kind: "bytes", blob: digest, delta });
      const checking = async () => await checkBlob(file, layout, slot, { withPieces, onBytes }, signal);
      const isChecked = isHashed(digest) || slot.bodyOffset + slot.size > file.size;
      const state: BlobState = isChecked
        ? await underWay(onProgress, { blob: digest, bytes: slot.size }, checking)
        : { slot, ranges: [] };
      if (isChecked) onProgress({ kind: "done", blob: digest, bytes: slot.size });
      appendTo(states, digest, { ...state, opened });
      if (state.ranges.length > 0) faults.push({ ...blobFault(state, digest), ...where });
      if (state.isLie === true) faults.push({ ...lie(slot), ...where });
    }
  }
  const sources = new Map<Digest, BlobSource>();
  const needed: NeededBlob[] = [];
  const missing = new Set<number>();
  for (const [index, blob] of lock.blobs.entries()) {
    const own = states.get(blob.digest) ?? [];
    const whole = wholeSource(blob, own);
    const isKnown = isUnsplit(own) || !isHashed(blob.digest);
    const isRight = whole !== undefined && (isKnown || (await hasDigest(whole, blob.digest, signal)));
    if (isRight) {
      sources.set(blob.digest, whole);
      continue;
    }
    const volumes = [lock.set?.where[index] ?? []].flat();
    for (const volume of volumes) if (!present.has(volume)) missing.add(volume);
    needed.push(neededOf(blob, own));
    if (whole !== undefined)
      faults.push({ kind: "digest", blob: blob.digest, found: "parts that do not fit", expected: blob.digest });
    else if (own.length === 0 && volumes.every(volume => present.has(volume)))
      faults.push({ kind: "missing", blob: blob.digest, found: "no entry", expected: `${blob.size} bytes` });
  }
  const images = await harmedImages(lock, sources, signal);
  for (const { digest, size } of images.unnamed)
    faults.push({ kind: "missing", blob: digest, found: "no entry", expected: `${size} bytes` });
  const need: Need = { of: lock.id, volumes: [...missing], images: images.harmed, blobs: needed };
  return {
    lock,
    faults: faults.map(fault => withImages(fault, images.users)),
    unharmed: images.unharmed,
    harmed: images.harmed,
    need: needed.length === 0 ? undefined : need,
  };
}

function withImages(fault: ArchiveFault, users: ReadonlyMap<Digest, readonly string[]>): ArchiveFault {
  const images = fault.blob === undefined || fault.ranges === undefined ? undefined : users.get(fault.blob);
  return images === undefined ? fault : { ...fault, images };
}

function isUnsplit(states: readonly Checked[]): boolean {
  return states.some(({ slot, ranges }) => slot.part === undefined && ranges.length === 0);
}

/** The bytes of a blob, if none of them is known to be damaged. */
function wholeSource({ size }: LockedBlob, states: readonly Checked[]): BlobSource | undefined {
  const right = states.filter(({ ranges }) => ranges.length === 0);
  const whole = right.find(({ slot }) => slot.part === undefined);
  if (whole !== undefined) return sliceOf(whole);
  const parts = new Map(right.map(state => [state.slot.part?.from ?? 0, state]));
  const segments: { readonly source: BlobSource }[] = [];
  let position = 0;
  for (let part = parts.get(0); part !== undefined; part = parts.get(position)) {
    segments.push({ source: sliceOf(part) });
    if (part.slot.size === 0) break;
    position += part.slot.size;
  }
  return position === size && segments.length > 0 ? joinedBlob(segments) : undefined;
}

function sliceOf({ opened: { file }, slot }: Checked): BlobSource {
  return file.slice(slot.bodyOffset, slot.size);
}

async function hasDigest(blob: BlobSource, digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    return (await hashBlob(blob, digestAlgorithm(digest), signal)) === digest;
  } catch (error) {
    if (error instanceof StorageError || error instanceof IntegrityError) return false;
    throw error;
  }
}

/** Ranges that no file has, if they are fewer than all. */
function neededOf(blob: LockedBlob, states: readonly Checked[]): NeededBlob {
  const bad: BlobRange[] = [];
  let position = 0;
  const parts = states.toSorted((left, right) => (left.slot.part?.from ?? 0) - (right.slot.part?.from ?? 0));
  // A part that is not there may end within a piece: all of the blob is fetched again.
  for (const { slot, ranges } of parts) {
    const from = slot.part?.from ?? 0;
    if (from > position) return blob;
    position = Math.max(position, from + slot.size);
    append(bad, ranges);
  }
  const pieceBytes = states[0]?.opened.layout.sums?.pieceBytes;
  const ranges = pieceBytes === undefined ? [] : wholePieces(bad, pieceBytes, blob.size);
  const [first] = ranges;
  const isAll = first === undefined || (first[0] === 0 && first[1] === blob.size);
  return position < blob.size || isAll ? blob : { ...blob, ranges };
}

/** Widened to the borders of pieces: a part of a blob may begin and end within one. */
function wholePieces(ranges: readonly BlobRange[], pieceBytes: number, size: number): readonly BlobRange[] {
  const wide: [number, number][] = [];
  for (const [from, to] of ranges.toSorted((left, right) => left[0] - right[0])) {
    const start = Math.floor(from / pieceBytes) * pieceBytes;
    const end = Math.min(size, Math.ceil(to / pieceBytes) * pieceBytes);
    const last = wide.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else wide.push([start, end]);
  }
  return wide;
}

function blobFault({ slot, ranges, found }: BlobState, blob: Digest): ArchiveFault {
  const from = slot.part?.from ?? 0;
  return {
    kind: found === undefined && slot.part === undefined ? "unreadable" : "digest",
    blob,
    found: found ?? "damaged bytes",
    expected: blob,
    ranges: ranges.map(([start, end]) => ({
      from: start,
      to: end,
      fileFrom: slot.bodyOffset + start - from,
      fileTo: slot.bodyOffset + end - from,
    })),
  };
}

function lie({ name }: LayoutSlot): ArchiveFault {
  return {
    kind: "sums",
    entry: "imgpack/sums",
    found: `other hashes than ${name} has`,
    expected: "those of its pieces",
  };
}

const STATES: Readonly<Record<FrameFault["kind"], readonly [found: string, expected: string]>> = {
  header: ["a damaged header", "the header that imgpack writes"],
  padding: ["other bytes", "zeros"],
  file: ["damaged bytes", "the bytes that imgpack wrote"],
  cut: ["the end of the file", "the rest of the archive"],
  trailing: ["further bytes", "the end of the file"],
};

function frameFault({ kind, slot, from, to }: FrameFault): ArchiveFault {
  const [found, expected] = STATES[kind];
  return {
    kind: kind === "file" && slot?.name === "imgpack/sums" ? "sums" : kind,
    ...(slot === undefined ? {} : { entry: slot.name }),
    found,
    expected,
    ranges: [{ from: 0, to: to - from, fileFrom: from, fileTo: to }],
  };
}
