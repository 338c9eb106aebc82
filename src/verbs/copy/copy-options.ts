import type { ShardSummary } from "../../bundle/shards/shard-summary.ts";
import type { Digest } from "../../oci/digest.ts";
import type { OptionsShape } from "../../util/options/checked-options.ts";
import { FLAG, OUTPUT_PATH, TEXT_LIST } from "../../util/options/option-kinds.ts";
import type { Compression } from "../options/choices.ts";
import { COMPRESSION, PLATFORMS, TRANSFER } from "../options/common-options.ts";
import { MAPPING, type MappingOptions } from "../options/mapping-options.ts";
import { SHARD_KIND, type ShardOptions } from "../options/shard-option.ts";
import type { ReferrersSummary } from "../referrers/referrers-summary.ts";
import { REQUIRED_KIND, type RequireOptions } from "../referrers/require-referrers.ts";
import { LOCK_INPUT, type LockInput } from "../requested/read-lock.ts";
import type { BlobCounts } from "../shared/blob-counts.ts";
import type { RemoteOptions } from "../shared/remote-image.ts";
import type { RescueReport } from "../v1/report/rescue-report.ts";

/** Options of `copy` and `copyTo`. */
export interface CopyOptions extends RemoteOptions, ShardOptions {
  /**
   * `os/architecture[/variant]`, or "all" alone. One platform of an index is copied as an image, several as a new index.
   * Default "all".
   */
  readonly platform?: string | readonly string[] | undefined;
  /** Most blobs in transfer at the same time: it starts with 6, and takes more while that makes the call faster. Default 32. */
  readonly concurrency?: number | undefined;
  /**
   * Folder that remembers the repositories that hold blobs, and unfinished uploads. Default: nothing is remembered after
   * the call.
   */
  readonly cacheDir?: string | undefined;
  /** Plans, but sends nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Copies what refers to the images, too: signatures, SBOMs, attestations. Default true. */
  readonly referrers?: boolean | undefined;
  /** Refuses images without a signature, SBOM or other attestation. Default: none is required. */
  readonly requireReferrers?: RequireOptions["requireReferrers"];
  /**
   * Of images of a v1 registry: file for a report with a row per tag. Its ending says in which form: .html, .csv or .json.
   * It is written when the call ends, however it ends. Default: none.
   */
  readonly report?: string | undefined;
  /**
   * Looks each blob and manifest up at the target, also of images whose tags are there, and copies what is missing. Of images
   * of a v1 registry: reads each config back from the target after the copy, and looks each layer up. Default false.
   */
  readonly verify?: boolean | undefined;
  /** Of images of a v1 registry: what becomes of raw layers. Default "keep". */
  readonly compression?: Compression | undefined;
  /** Of images of a v1 registry: false copies layers that have none of the checksums that it states. Default true. */
  readonly v1Checksums?: boolean | undefined;
}

/** Options of `copyTo`. */
export interface CopyToOptions extends CopyOptions, MappingOptions {
  /**
   * Path or bytes of the lock that the sources are of. With `shard`, what it says of their blobs need not be asked at their
   * registries. Default: all manifests are read.
   */
  readonly lock?: LockInput | undefined;
  /** As in `PullOptions`: default all sources. */
  readonly trustedReferences?: readonly string[] | undefined;
}

export const COPY_OPTIONS: OptionsShape<CopyOptions> = {
  ...TRANSFER,
  platform: PLATFORMS,
  referrers: FLAG,
  requireReferrers: REQUIRED_KIND,
  report: OUTPUT_PATH,
  verify: FLAG,
  compression: COMPRESSION,
  v1Checksums: FLAG,
  shard: SHARD_KIND,
};
export const COPY_TO_OPTIONS: OptionsShape<CopyToOptions> = {
  ...COPY_OPTIONS,
  ...MAPPING,
  lock: LOCK_INPUT,
  trustedReferences: TEXT_LIST,
};

/** An image under its new name. */
export interface CopiedImage {
  /** Reference as it was given. */
  readonly source: string;
  /** `registry/repository[:tag]`, or `v1://HOST/namespace/repository:tag`. */
  readonly reference: string;
  /** Of the manifest or index; of the source if the target is a v1 registry. Absent if the source is one, too. */
  readonly digest?: Digest;
  readonly mediaType?: string;
  /** The digest at the source, if platforms were chosen or schema 1 was converted. */
  readonly previousDigest?: Digest;
  /** Platforms, or else digests, of images of its index that were not asked for. Absent if there are none. */
  readonly absent?: readonly string[];
  /** What refers to the image, and is copied with it. Absent if it was not looked for. */
  readonly referrers?: ReferrersSummary;
  /** Bytes of all its blobs; 0 if the target had the image already. */
  readonly plannedBytes: number;
}

/** What `copy` or `copyTo` did. */
export interface CopyResult {
  readonly images: readonly CopiedImage[];
  readonly blobs: BlobCounts;
  /** HTTP requests, to both registries. */
  readonly requests: number;
  /** Bytes of request bodies. */
  readonly bytesSent: number;
  readonly seconds: number;
  /** Only with `shard`. */
  readonly shard?: ShardSummary;
  /** Of images of a v1 registry: what became of each tag. */
  readonly rescue?: RescueReport;
}
