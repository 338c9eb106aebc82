import type { Digest } from "../oci/digest.ts";

/**
 * Names a blob in events, the same in all of them: its digest, or, where that is not known yet, `layer <digest>` with the
 * digest that the archive has for the layer (of a raw layer its diff_id), `layer from <file or folder>` of an import, or
 * `entry <name>` of an archive that is read from beginning to end.
 */
export type BlobLabel = Digest | `layer ${string}` | `entry ${string}`;

/** What a call reports while it works. Bytes are those that are read from the source. */
export type ProgressEvent =
  /** Work is known; a call may report it in several parts, which add up. A part that corrects others may be negative. */
  | { readonly kind: "planned"; readonly blobs: number; readonly bytes: number }
  /** Bytes of a blob have moved; `delta` is negative if bytes have to be sent again. */
  | { readonly kind: "bytes"; readonly blob: BlobLabel; readonly delta: number }
  /** A blob need not be moved, or only its rest: the target has it, mounted it, or kept it from an interrupted run. */
  | {
      readonly kind: "skipped";
      readonly blob: BlobLabel;
      readonly bytes: number;
      readonly reason: "exists" | "mounted" | "kept";
      /** True for a raw layer whose digest was known from an earlier run, so that it was not read. */
      readonly isCached?: boolean;
    }
  /** A blob is at the target; `bytes` is its size there. */
  | { readonly kind: "done"; readonly blob: BlobLabel; readonly bytes: number }
  /**
   * An archive that is compressed, or comes from a pipe, is read from front to back for the first time; `bytes` of the
   * file are read. `total` is the size of the file; of a pipe it is absent. The last event of an archive has both, equal.
   */
  | { readonly kind: "reading"; readonly archive: string; readonly bytes: number; readonly total?: number }
  /** A request failed and is sent again after `waitMs`. */
  | {
      readonly kind: "retry";
      /** Description of the request. */
      readonly what: string;
      /** Number of the attempt that failed, from 1. */
      readonly attempt: number;
      readonly waitMs: number;
      /** What went wrong. May contain text of the registry. */
      readonly message: string;
    }
  /** A sentence for a person. May contain text of the archive or the registry. A detail is for those who ask for more. */
  | { readonly kind: "note"; readonly message: string; readonly isDetail?: true };

/**
 * Is called with each event, in order. What it throws rejects the call. A promise that it returns is not waited for, and
 * its rejection is ignored.
 */
export type OnProgress = (event: ProgressEvent) => void;

/** Reports how far an archive is read. */
export function readingTo(
  onProgress: OnProgress | undefined,
  archive: string,
): (bytes: number, total: number | undefined) => void {
  return (bytes, total) => onProgress?.({ kind: "reading", archive, bytes, ...(total === undefined ? {} : { total }) });
}

/** Reports sentences as notes. */
export function noteTo(onProgress: OnProgress | undefined): (message: string, isDetail?: boolean) => void {
  return (message, isDetail) => onProgress?.({ kind: "note", message, ...(isDetail === true ? { isDetail } : {}) });
}
