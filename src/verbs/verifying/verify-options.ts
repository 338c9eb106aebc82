import type { Readable } from "node:stream";
import type { Need } from "../../bundle/need/need.ts";
import type { OnProgress } from "../../content/progress.ts";
import type { ShardOptions } from "../options/shard-option.ts";
import type { CheckedSignatures } from "../referrers/check-signatures.ts";
import type { BundleSignature } from "../signed/bundle-signature.ts";
import type { ArchiveFault } from "./archive-fault.ts";

/** Options of `verify`. */
export interface VerifyOptions extends ShardOptions {
  /**
   * Public keys in PEM, of which any one counts: with them, the signature of the archive (`sign` of `pull`) and cosign's
   * signatures of its images are checked. Default: they are not.
   */
  readonly key?: string | readonly string[] | undefined;
  /**
   * Also inflates the layers of archives that imgpack wrote, to compare them with the diff_ids of the configs, and checks the
   * hashes of the pieces of blobs that are right. Default false: their digests decide.
   */
  readonly diffIds?: boolean | undefined;
  /** Is called with each progress event. */
  readonly onProgress?: OnProgress | undefined;
  /** Stream that the archive "-" is read from. Default: stdin of the process. */
  readonly stdin?: Readable | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

/** The part of a call with `shard`. */
export interface VerifiedShard {
  /** From 0. */
  readonly index: number;
  /** How many shards there are. */
  readonly of: number;
  /** Number of blobs that all shards hash. */
  readonly ofBlobs: number;
  /** Sum of these blobs. */
  readonly ofBytes: number;
}

/** Volumes of a bundle that were not given. */
export interface MissingVolumes {
  /** Id of the bundle. */
  readonly bundle: string;
  /** Their numbers, sorted. */
  readonly volumes: readonly number[];
  /** Number of volumes that the set has. */
  readonly of: number;
}

/** What `verify` found. */
export interface VerifyResult {
  /** Path as it was given; of several, separated by a comma. */
  readonly archive: string;
  /** Number of images. */
  readonly images: number;
  /** Number of blobs; with `shard`, of those that it hashed. */
  readonly blobs: number;
  /** Sum of the blobs, as stored. */
  readonly bytes: number;
  /** Empty for archives that are intact. */
  readonly faults: readonly ArchiveFault[];
  /** Volumes that are not there; absent if none is missing. */
  readonly missing?: readonly MissingVolumes[];
  /** Names of the images that are whole; absent for archives that imgpack did not write, and with `shard`. */
  readonly unharmed?: readonly string[];
  /** Names of the images that are not whole, as far as it is known; absent for archives that imgpack did not write. */
  readonly harmed?: readonly string[];
  /** What has to be fetched again, for `pull -f`: one need list for each bundle that needs something. Absent if nothing is needed. */
  readonly needs?: readonly Need[];
  /** What could not be checked, and why. */
  readonly unchecked: readonly string[];
  /**
   * What the keys say about the archive as a whole; absent without a key. If it is "signed", it is what it was when it was
   * signed, whatever signatures its images have. Of several files, the least that is said of one.
   */
  readonly bundle?: BundleSignature;
  /** What the keys say about each image; absent without a key. */
  readonly signatures?: readonly CheckedSignatures[];
  /** Only with `shard`. */
  readonly shard?: VerifiedShard;
  readonly seconds: number;
}
