import type { Digest } from "../../oci/digest.ts";

/** An archive to write; `id` is a hash of everything that determines its bytes. */
export interface ArchivePlan {
  /** 16 bytes in hex. */
  readonly id: string;
  readonly totalBytes: number;
  readonly blobs: readonly PlannedBlob[];
  /** The first header: while it is missing, no reader accepts the file as a tar. */
  readonly firstBlock: Uint8Array;
}

export interface PlannedBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly offset: number;
}
