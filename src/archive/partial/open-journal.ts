import { createHash, randomBytes } from "node:crypto";
import type { DiskFile } from "../../util/disk.ts";
import type { ArchiveJournal } from "./archive-journal.ts";
import type { ArchivePlan } from "./archive-plan.ts";
import type { JournalRecord } from "./journal-record.ts";
import { encodeMarker } from "./partial-marker.ts";

const HASH_LENGTH = 32;

/** What a journal says of an archive before its first byte. */
export function openingRecords(plan: ArchivePlan, nonce: string, command: string): readonly JournalRecord[] {
  const { id, totalBytes, blobs } = plan;
  return [
    { type: "open", nonce, plan: id, command, totalBytes },
    ...blobs.map(({ digest, size, offset }, index): JournalRecord => {
      return { type: "blob", nonce, index, size, offset, digest: digestPrefix(digest) };
    }),
  ];
}

export interface Reopening {
  readonly file: DiskFile;
  readonly journal: ArchiveJournal;
  readonly plan: ArchivePlan;
  readonly command: string;
  /** Bytes of blobs that are in their place already, by index. */
  readonly kept: ReadonlyMap<number, number>;
  /** That the file gets; at least those of the plan. */
  readonly totalBytes: number;
}

/**
 * Uses a file for another plan. After a crash halfway, file and journal do not match, and all is fetched again.
 *
 * @returns the nonce of the file from now on.
 */
export async function reopenJournal({ file, journal, plan, command, kept, totalBytes }: Reopening): Promise<string> {
  const nonce = newNonce();
  await file.write(encodeMarker({ nonce, command }), 0);
  await file.truncate(totalBytes);
  // Before blobs of the new plan replace those that the journal still describes.
  await file.datasync();
  const progress = [...kept].map(([index, bytes]): JournalRecord => {
    return { type: "progress", nonce, index, bytes, isDurable: true, claim: journal.claim.id };
  });
  await journal.append([...openingRecords(plan, nonce, command), ...progress]);
  await journal.sync();
  return nonce;
}

/** 8 bytes in hex. */
export function newNonce(): string {
  return randomBytes(8).toString("hex");
}

/** The first 16 bytes, in hex. */
export function digestPrefix(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, HASH_LENGTH);
}

/** 16 bytes in hex. */
export function hash(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, HASH_LENGTH);
}
