import type { Digest } from "../../oci/digest.ts";
import type { LockedBlob } from "../lock/lock.ts";

/** What is lacking of a bundle, or damaged in it, and where it can be had from. */
export interface Need {
  /** Id of the bundle. */
  readonly of: Digest;
  /** Numbers of the volumes that are missing; their blobs are among `blobs`. Sorted. */
  readonly volumes: readonly number[];
  /** Names of the images that are not whole without it. Sorted. */
  readonly images: readonly string[];
  /** Sorted by digest. */
  readonly blobs: readonly NeededBlob[];
}

export interface NeededBlob extends LockedBlob {
  /** Only if not the whole blob is needed: bytes `from` to `to - 1`, sorted and apart, on borders of pieces. */
  readonly ranges?: readonly (readonly [from: number, to: number])[];
}
