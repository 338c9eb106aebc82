import type { Digest } from "../oci/digest.ts";
import type { PendingKey, Seal, SettledRoot } from "./contracts.ts";

/** A digest, or the pending key until "sealed" tells the digest. */
export type BlobKey = Digest | PendingKey;

export type ProgressEvent =
  | { readonly kind: "planned"; readonly blobs: number; readonly bytes: number }
  /** `delta` is negative when bytes have to be sent again. */
  | { readonly kind: "bytes"; readonly blob: BlobKey; readonly delta: number }
  | {
      readonly kind: "skipped";
      readonly blob: BlobKey;
      readonly bytes: number;
      readonly reason: "exists" | "mounted" | "kept";
      /** A raw layer whose digest was known from before, so that nobody read it. */
      readonly isCached?: boolean;
    }
  | {
      readonly kind: "retry";
      readonly what: string;
      readonly attempt: number;
      readonly waitMs: number;
      readonly message: string;
    }
  | { readonly kind: "note"; readonly message: string }
  | { readonly kind: "sealed"; readonly blob: PendingKey; readonly seal: Seal }
  | { readonly kind: "done"; readonly blob: BlobKey; readonly bytes: number }
  | { readonly kind: "committed"; readonly roots: readonly SettledRoot[] };

export type OnProgress = (event: ProgressEvent) => void;
