import type { BlobLabel, ProgressEvent } from "../../index.ts";

/** So many of a number that may not be known. */
export interface Count {
  readonly done: number;
  readonly total?: number | undefined;
}

/** A blob that moves, or should. */
export interface BlobState {
  readonly blob: BlobLabel;
  readonly bytes: number;
  readonly size: number;
  /** Bytes per second; absent in the first second. */
  readonly rate?: number | undefined;
  /** Milliseconds since it started, and since its last bytes. */
  readonly ageMs: number;
  readonly idleMs: number;
  /** That is longer than usual: it is waited for. */
  readonly isIdle: boolean;
  /** `host[:port]` of registries. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** What is known of requests to a registry that wait. */
export interface WaitState {
  /** `host[:port]` */
  readonly registry: string;
  /** The registry limits all requests or does not answer any more, requests failed and are sent again, or they have no answer. */
  readonly reason: "limit" | "outage" | "retry" | "answer";
  /** HTTP status of the last refusal. */
  readonly status?: number | undefined;
  /** Of an outage: after how many milliseconds the registry is given up. */
  readonly patienceMs?: number | undefined;
  /** Of retries or of requests without an answer. */
  readonly requests: number;
  readonly waitedMs: number;
  /** Until the next try, if that is known. */
  readonly nextMs?: number | undefined;
  /** One of the requests. May contain text of the user or the registry. */
  readonly what: string;
}

/** What progress shows. */
export interface ProgressState {
  /** What is done at the moment, such as "Pushing". */
  readonly verb: string;
  /** Bytes that are done; those that need not be moved count. */
  readonly bytes: number;
  /** Absent if the end is not known. */
  readonly total?: number | undefined;
  /** More is planned later: the total is a least one, and says nothing about the time left. */
  readonly isGrowing: boolean;
  /** Bytes per second of the last seconds; absent before the first second. */
  readonly rate?: number | undefined;
  /** By that rate. Absent if it cannot be known yet, the total grows, or nothing moves. */
  readonly secondsLeft?: number | undefined;
  readonly images?: Count | undefined;
  /** Images that failed; they are not among those that are done. */
  readonly failed: number;
  readonly blobs?: Count | undefined;
  /** While things are read before layers move. */
  readonly step?: (Count & Pick<Extract<ProgressEvent, { kind: "step" }>, "step">) | undefined;
  /** In the order in which they started. */
  readonly underWay: readonly BlobState[];
  readonly waits: readonly WaitState[];
}
