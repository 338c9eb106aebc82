import type { ClaimRecord } from "../../util/lock/lock-record.ts";
import type { BlobRecord, JournalRecord, OpenRecord } from "./journal-record.ts";

/** What a journal says about the last archive that it started. */
export interface JournalState {
  readonly open: OpenRecord;
  readonly blobs: ReadonlyMap<number, BlobRecord>;
  /** Bytes from the start of each blob that are in the file. */
  readonly kept: ReadonlyMap<number, number>;
  readonly isDone: boolean;
}

/**
 * @param own the reader's claim: unsynced bytes count only while the same system runs, because a power cut may have removed
 *   them.
 * @returns undefined if no archive was started.
 */
export function journalState(records: readonly JournalRecord[], own: ClaimRecord): JournalState | undefined {
  const open = records.findLast(record => record.type === "open");
  if (open === undefined) return undefined;
  const boots = new Map(
    records.flatMap(record => (record.type === "claim" ? [[record.id, record.started?.boot]] : [])),
  );
  const blobs = new Map<number, BlobRecord>();
  const kept = new Map<number, number>();
  let isDone = false;
  for (const record of records) {
    if (!("nonce" in record) || record.nonce !== open.nonce) continue;
    if (record.type === "blob") blobs.set(record.index, record);
    if (record.type === "reset") kept.delete(record.index);
    if (record.type === "done") isDone = true;
    if (record.type !== "progress") continue;
    const isSameBoot = own.started !== null && boots.get(record.claim) === own.started.boot;
    if (!record.isDurable && !isSameBoot) continue;
    kept.set(record.index, Math.max(record.bytes, kept.get(record.index) ?? 0));
  }
  if (isDone) for (const [index, { size }] of blobs) kept.set(index, size);
  for (const [index, bytes] of kept) if (bytes > (blobs.get(index)?.size ?? 0)) kept.delete(index);
  return { open, blobs, kept, isDone };
}
