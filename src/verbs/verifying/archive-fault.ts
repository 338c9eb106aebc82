import type { Digest } from "../../oci/digest.ts";

/** Damaged bytes of a blob, and where they are in the file. */
export interface DamagedRange {
  /** First byte, counted from the start of the blob. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** The same first byte, counted from the start of the file. */
  readonly fileFrom: number;
  /** Exclusive. */
  readonly fileTo: number;
}

/** One thing that is wrong with an archive. */
export interface ArchiveFault {
  /**
   * "diff-id": a layer does not inflate to what the config says. "header", "padding", "file" (one of the JSON files), "sums",
   * "cut" and "trailing" are outside of blobs: `convert` repairs them.
   */
  readonly kind:
    | "missing"
    | "size"
    | "digest"
    | "diff-id"
    | "unreadable"
    | "header"
    | "padding"
    | "file"
    | "sums"
    | "cut"
    | "trailing";
  /** Path as it was given, if several were. */
  readonly archive?: string;
  /** Digest by which the archive names the blob; absent for what belongs to no blob. */
  readonly blob?: Digest;
  /** Name of the entry, of a fault outside of blobs. */
  readonly entry?: string;
  /** Digest, size or state that was found. */
  readonly found: string;
  readonly expected: string;
  /** What is damaged, as exactly as it is known; only of archives that imgpack wrote. */
  readonly ranges?: readonly DamagedRange[];
  /** Names of the images that are not whole because of it. */
  readonly images?: readonly string[];
  /** The error that ended the check of this blob: a full sentence, more precise than `found` and `expected`. */
  readonly message?: string;
}
