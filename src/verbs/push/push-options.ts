import type { Readable } from "node:stream";
import type { ShardSummary } from "../../bundle/shards/shard-summary.ts";
import type { OnProgress } from "../../content/progress.ts";
import type { UsedEngine } from "../../engine/engine.ts";
import type { Digest } from "../../oci/digest.ts";
import type { OptionsShape } from "../../util/options/checked-options.ts";
import { FLAG, OUTPUT_PATH, READABLE, TEXT, TEXTS } from "../../util/options/option-kinds.ts";
import type { Compression, Sparse } from "../options/choices.ts";
import { COMPRESSION, SPARSE_KIND, TRANSFER } from "../options/common-options.ts";
import { MAPPING } from "../options/mapping-options.ts";
import { SHARD_KIND, type ShardOptions } from "../options/shard-option.ts";
import type { ReferrersSummary } from "../referrers/referrers-summary.ts";
import type { BlobCounts } from "../shared/blob-counts.ts";
import type { PushNameOptions } from "../shared/push-names.ts";

/** Options of `push`. */
export interface PushOptions extends PushNameOptions, ShardOptions {
  /** Default "auto". */
  readonly compression?: Compression | undefined;
  /** Default "prune", which is refused for an image that is signed, or pinned by its digest, unless it is given. */
  readonly sparse?: Sparse | undefined;
  /** Pushes what refers to the images, too: signatures, SBOMs, attestations. Default true. */
  readonly referrers?: boolean | undefined;
  /**
   * To a v1 registry, which has one platform for a tag: `os/architecture[/variant]` to take of an index. Default: linux with
   * the architecture of this machine.
   */
  readonly platform?: string | undefined;
  /**
   * Public keys in PEM: sends nothing unless each archive is signed by one of them, with what its lock names in it and
   * nothing else. Default: no signature is required.
   */
  readonly requireSignature?: string | readonly string[] | undefined;
  /**
   * File for a need list, if an archive lacks blobs that the registry does not have: `pull` fetches them elsewhere by it. It
   * replaces a need list only. Default: the error alone has it.
   */
  readonly need?: string | undefined;
  /** Most blobs in transfer at the same time: it starts with 6, and takes more while that makes the call faster. Default 32. */
  readonly concurrency?: number | undefined;
  /**
   * Folder that remembers the digests of compressed layers, the repositories that hold blobs, and unfinished uploads.
   * Default: nothing is remembered after the call.
   */
  readonly cacheDir?: string | undefined;
  /** Stream that the archive "-" is read from. Default: stdin of the process. */
  readonly stdin?: Readable | undefined;
  /** Plans, but sends nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Is called with each progress event. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

export type { UsedEngine } from "../../engine/engine.ts";

export const PUSH_OPTIONS: OptionsShape<PushOptions> = {
  ...TRANSFER,
  ...MAPPING,
  to: TEXT,
  tag: TEXTS,
  image: TEXTS,
  compression: COMPRESSION,
  sparse: SPARSE_KIND,
  platform: TEXT,
  referrers: FLAG,
  requireSignature: TEXTS,
  need: OUTPUT_PATH,
  stdin: READABLE,
  shard: SHARD_KIND,
};

/** One name of an image in a registry. */
export interface PushedImage {
  /**
   * `registry/repository:tag`; without `:tag` for an image that the archive names by digest alone. In a v1 registry:
   * `v1://HOST/namespace/repository:tag`.
   */
  readonly reference: string;
  /** Of the manifest or index; absent in a dry run if a layer is still to be compressed, and in a v1 registry. */
  readonly digest?: Digest;
  /** The digest in the archive, if the push changed it: raw layers were compressed, or an index was pruned. */
  readonly previousDigest?: Digest;
  /** What refers to the image, and is pushed with it. Absent if the archive has nothing of it. */
  readonly referrers?: ReferrersSummary;
}

/** What `push` did. */
export interface PushResult {
  /** One per tag that was pushed. */
  readonly images: readonly PushedImage[];
  readonly blobs: BlobCounts;
  /** Blobs that the registry had already, so that the archive's copies were not compared with their digests. */
  readonly uncheckedBlobs: number;
  /** HTTP requests. */
  readonly requests: number;
  /** Bytes of request bodies. */
  readonly bytesSent: number;
  readonly seconds: number;
  /** Those that images came from. */
  readonly engines?: readonly UsedEngine[];
  /** Only with `shard`. */
  readonly shard?: ShardSummary;
}
