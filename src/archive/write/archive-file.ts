import type { Digest } from "../../oci/digest.ts";
import type { LockSignature } from "../../oci/signatures/lock-signature.ts";

/** One file of the archive: its bytes if the plan has them already, or else its digest; the sums come last of all. */
export type ArchiveFile = { readonly name: string; readonly size: number } & (
  | {
      readonly bytes: Uint8Array;
      readonly digest?: undefined;
      /** If other bytes would be as right. */
      readonly signature?: LockSignature | undefined;
    }
  | {
      readonly bytes: undefined;
      readonly digest: Digest;
      /** Of a part of the blob: its number from 1, and where it begins in the blob. */
      readonly part?: { readonly number: number; readonly from: number };
    }
  | { readonly bytes: undefined; readonly digest: undefined }
);
