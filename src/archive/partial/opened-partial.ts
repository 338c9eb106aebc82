import type { Digest } from "../../oci/digest.ts";
import type { DiskFile } from "../../util/disk.ts";
import { formatBytes, quote } from "../../util/format.ts";
import type { ArchiveJournal } from "./archive-journal.ts";
import type { ArchivePlan } from "./archive-plan.ts";
import { WrittenPrefix } from "./written-prefix.ts";

/** How to treat an unfinished archive. */
export interface ResumeOptions {
  /** What the user asked for: an interrupted run is resumed by the same command. Without it, such a run leaves nothing. */
  readonly command?: string | undefined;
  /** Discards what an interrupted run has left. */
  readonly restart?: boolean | undefined;
  /** Digest → its placeholder in an earlier plan of this command; what is kept of it is unchecked, as always. */
  readonly formerDigests?: ReadonlyMap<Digest, Digest> | undefined;
  /** For tests: bytes between two syncs, milliseconds, and bytes after which the disk starts to write. */
  readonly checkpointBytes?: number | undefined;
  readonly checkpointMs?: number | undefined;
  readonly writebackBytes?: number | undefined;
  readonly onNote?: ((text: string) => void) | undefined;
  /** Is called in place of notes about what is kept of an interrupted run, with its bytes: for one file of several. */
  readonly onKept?: ((bytes: number) => void) | undefined;
  /** True if the file under the final name is this archive, without its journal; its bytes are unchecked. */
  readonly isRenamed?: boolean | undefined;
}

export interface OpenedPartial {
  readonly path: string;
  readonly plan: ArchivePlan;
  readonly file: DiskFile;
  readonly journal: ArchiveJournal;
  readonly nonce: string;
  /** 16 bytes in hex: what the user asked for. */
  readonly command: string;
  /** By blob. */
  readonly kept: ReadonlyMap<number, number>;
  /** True if it is complete, as far as its first block says: bytes are compared with it, and none is written. */
  readonly isReadOnly: boolean;
  /** True if it is renamed already. */
  readonly isFinal: boolean;
}

/** Of an interrupted run. */
export function keptNote(partial: string, bytes: number): string {
  return `${quote(partial)} keeps ${formatBytes(bytes)}: run the same command again to resume, or remove it and its journal`;
}

/** What is in the file of each blob. */
export function writtenPrefixes({ plan, kept }: OpenedPartial): WrittenPrefix[] {
  return plan.blobs.map((_, index) => new WrittenPrefix(kept.get(index)));
}
