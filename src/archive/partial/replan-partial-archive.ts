import type { Digest } from "../../oci/digest.ts";
import type { ArchivePlan } from "./archive-plan.ts";
import type { PartialArchive } from "./partial-archive.ts";

/** Bytes that are read and written at once. */
const PART_BYTES = 1024 * 1024;

interface Move {
  /** Of the blob in the new plan. */
  readonly index: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/**
 * Continues an open archive with another plan, whose blobs come in the same order: what is in the file of a blob stays, or
 * moves to the place that the blob has now. Bytes that are moved are as unchecked as those of an interrupted run.
 *
 * @param formerDigests digest → its placeholder in the plan so far.
 * @returns the blobs that did not move.
 */
export async function replanPartialArchive(
  archive: PartialArchive,
  plan: ArchivePlan,
  formerDigests: ReadonlyMap<Digest, Digest>,
  signal?: AbortSignal,
): Promise<ReadonlySet<Digest>> {
  const places = new Map(
    archive.plan.blobs.map(({ digest, offset }, index) => [digest, { offset, bytes: archive.kept(index) }]),
  );
  const kept = new Map<number, number>();
  const moves: Move[] = [];
  for (const [index, { digest, size, offset }] of plan.blobs.entries()) {
    const place = places.get(formerDigests.get(digest) ?? digest);
    const bytes = Math.min(place?.bytes ?? 0, size);
    if (place === undefined || bytes === 0) continue;
    if (place.offset === offset) kept.set(index, bytes);
    else moves.push({ index, from: place.offset, to: offset, bytes });
  }
  await archive.replan(plan, kept);
  for (const move of inSafeOrder(moves)) await moveBytes(archive, move, signal);
  await archive.trim();
  return new Set(plan.blobs.flatMap(({ digest }, index) => (kept.has(index) ? [digest] : [])));
}

/** Nothing is written over bytes that are still to be moved, because the blobs keep their order. */
function inSafeOrder(moves: readonly Move[]): readonly Move[] {
  const sorted = moves.toSorted((left, right) => left.from - right.from);
  return [...sorted.filter(({ from, to }) => to < from), ...sorted.filter(({ from, to }) => to > from).toReversed()];
}

async function moveBytes(archive: PartialArchive, { index, from, to, bytes }: Move, signal?: AbortSignal) {
  const starts = Array.from({ length: Math.ceil(bytes / PART_BYTES) }, (_, part) => part * PART_BYTES);
  // Both places may overlap.
  for (const position of to < from ? starts : starts.toReversed()) {
    signal?.throwIfAborted();
    const part = Buffer.allocUnsafe(Math.min(PART_BYTES, bytes - position));
    await archive.file.read(part, from + position);
    await archive.write(part, to + position);
    await archive.wrote(index, position, part.length);
  }
}
