import { ImgpackError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";

/**
 * Names a blob in events, the same in all of them: its digest, or, where that is not known yet, `layer <digest>` with the
 * digest that the archive has for the layer (of a raw layer its diff_id), `layer from <file or folder>` of an import, or
 * `entry <name>` of an archive that is read from beginning to end.
 */
export type BlobLabel = Digest | `layer ${string}` | `entry ${string}`;

/**
 * What of the images is read before the first blob moves, or afterwards. "commit": manifests and tags are put, when their
 * blobs are there.
 */
export type ProgressStep = "images" | "manifests" | "configs" | "referrers" | "names" | "blobs" | "commit";

/**
 * What a call reports while it works. Bytes are those that are read from the source. Kinds and fields may be added in a
 * later version: ignore those that you do not know.
 */
export type ProgressEvent =
  /** Work is known; a call may report it in several parts, which add up. A part that corrects others may be negative. */
  | {
      readonly kind: "planned";
      readonly blobs: number;
      readonly bytes: number;
      /** Images that have an `image` event at their end. */
      readonly images?: number;
      /**
       * Images whose blobs a later event plans; negative when that was it, or they have ended. While the sum of these numbers
       * is above 0, the sums of `blobs` and `bytes` grow, so that they say nothing about the time left.
       */
      readonly unplanned?: number;
    }
  /** So much of a step that moves no layers is done: `done` things of `total`, which is absent if it is not known. */
  | { readonly kind: "step"; readonly step: ProgressStep; readonly done: number; readonly total?: number }
  /**
   * An image is at the target, with all that it needs and under its name, or has failed. In an archive, which gets its name
   * at the end, all that the image needs is written.
   */
  | {
      readonly kind: "image";
      /** As the result or the error of the call has it. May contain text of the archive. */
      readonly name: string;
      readonly state: "done" | "failed";
      /** What went wrong, of one that failed. May contain text of the registry. */
      readonly message?: string;
    }
  /** A blob is under way, until an event `done`, `skipped` or `stopped` of it. */
  | {
      readonly kind: "started";
      readonly blob: BlobLabel;
      /** That are to be read. */
      readonly bytes: number;
      /** `host[:port]` that the bytes come from; absent for a file. */
      readonly from?: string;
      /** `host[:port]` that they go to; absent for a file. */
      readonly to?: string;
    }
  /** A blob that was started has failed, or was aborted. */
  | { readonly kind: "stopped"; readonly blob: BlobLabel }
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
      /** True if another image of the call has counted the blob; `bytes` is then 0. */
      readonly isRepeated?: true;
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
      /** `host[:port]` that the request was for. */
      readonly registry: string;
      /** HTTP status of the answer; absent if there was none. */
      readonly status?: number;
      /** Description of the request. */
      readonly what: string;
      /** Number of the attempt that failed, from 1. */
      readonly attempt: number;
      readonly waitMs: number;
      /** What went wrong. May contain text of the registry. */
      readonly message: string;
    }
  /**
   * Requests wait: with "limit" all requests to the registry, since it limits them; with "outage" all of them, since it does
   * not answer any more; with "answer" one request that has no answer yet. An event with the same registry, reason and `what` may follow, with a longer wait.
   */
  | {
      readonly kind: "waiting";
      /** `host[:port]` */
      readonly registry: string;
      readonly reason: "limit" | "outage" | "answer";
      /** Description of the request. */
      readonly what: string;
      /** For how long it has waited already. */
      readonly waitedMs: number;
      /** Until the next request, if that is known. */
      readonly waitMs?: number;
      /** Of an outage: for how long it is waited for at most. */
      readonly patienceMs?: number;
    }
  /** What an event `waiting` with the same registry, reason and `what` waited for has come, or is not waited for any more. */
  | {
      readonly kind: "resumed";
      readonly registry: string;
      readonly reason: "limit" | "outage" | "answer";
      readonly what: string;
      readonly waitedMs: number;
    }
  /** A sentence for a person. May contain text of the archive or the registry. A detail is shown on request only. */
  | { readonly kind: "note"; readonly message: string; readonly isDetail?: true };

/**
 * Is called with each event, in order. What it throws rejects the call. A promise that it returns is not waited for, and
 * its rejection is ignored.
 */
export type OnProgress = (event: ProgressEvent) => void;

/** Requests to a registry wait, or do not any more. */
export type WaitEvent = Extract<ProgressEvent, { readonly kind: "waiting" | "resumed" }>;

/** A blob that is about to move, and the hosts of its ends, as far as they are known. */
export interface StartedBlob {
  readonly blob: BlobLabel;
  readonly bytes: number;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Reports that a blob is under way, and that it stopped if `task` fails. `task` reports any other end. */
export async function underWay<T>(
  onProgress: OnProgress | undefined,
  { blob, bytes, from, to }: StartedBlob,
  task: () => Promise<T>,
): Promise<T> {
  const ends = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  onProgress?.({ kind: "started", blob, bytes, ...ends });
  try {
    return await task();
  } catch (error) {
    onProgress?.({ kind: "stopped", blob });
    throw error;
  }
}

/** Reports how an image ended: one that was interrupted has no end. @param name as the result or the error of the call has it. */
export async function endingImage<T>(
  onProgress: OnProgress | undefined,
  name: string,
  task: () => Promise<T>,
): Promise<T> {
  try {
    const result = await task();
    onProgress?.({ kind: "image", name, state: "done" });
    return result;
  } catch (error) {
    if (error instanceof ImgpackError) onProgress?.(failedImage(name, error));
    throw error;
  }
}

/** The event of an image that failed. */
export function failedImage(name: string, { message }: ImgpackError): ProgressEvent {
  return { kind: "image", name, state: "failed", message };
}

/** Counts what a step has done. @param total how many there are, if that is known. */
export function stepTo(onProgress: OnProgress | undefined, step: ProgressStep, total?: number): () => void {
  let done = 0;
  return () => {
    done += 1;
    onProgress?.({ kind: "step", step, done, ...(total === undefined ? {} : { total }) });
  };
}

/** Reports that more of something of unknown number has come. */
export function countTo(onProgress: OnProgress | undefined, step: ProgressStep): (count: number) => void {
  let done = 0;
  return count => {
    done += count;
    onProgress?.({ kind: "step", step, done });
  };
}

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
