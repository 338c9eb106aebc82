import type { Digest } from "../oci/digest.ts";
import type { OptionsShape } from "../util/options/checked-options.ts";
import { FLAG, FOLDER_PATH, OUTPUT, OUTPUT_PATH, required, TEXT_LIST, TEXTS } from "../util/options/option-kinds.ts";
import type { LoadedEngine } from "./engines/engine-output.ts";
import type { ToolFile } from "./files/tool-files.ts";
import type { Foreign, Sparse, ToolTarget } from "./options/choices.ts";
import { COMMON, FOREIGN_KIND, PLATFORMS, SPARSE_KIND, TOOLS, TRANSFER } from "./options/common-options.ts";
import { MAPPING, type MappingOptions } from "./options/mapping-options.ts";
import type { RegistryOptions } from "./options/registry-options.ts";
import { SHARD_KIND, type ShardOptions } from "./options/shard-option.ts";
import type { ArchiveOutput } from "./output/open-output.ts";
import type { PulledShard, WrittenVolume } from "./output/volume-options.ts";
import { NEED_INPUT, type NeedInput } from "./patch/read-need.ts";
import { REQUIRED_KIND, type RequireOptions } from "./referrers/require-referrers.ts";
import { LOCK_INPUT, type LockInput } from "./requested/read-lock.ts";
import { OUTPUT_OPTIONS, type OutputOptions, type WrittenImage } from "./shared/write-images.ts";
import type { RescueReport } from "./v1/report/rescue-report.ts";

/** Options of `pull`. */
export interface PullOptions extends OutputOptions, MappingOptions, ShardOptions {
  /** Where the archive goes. */
  readonly output: ArchiveOutput;
  /** How registries are named and reached; a string is short for `{ host }`. */
  readonly registry?: string | RegistryOptions | undefined;
  /**
   * References whose registries `registry.auth` and `registry.tls` are for, in addition to `registry.host` and
   * `registry.defaultHost`. Default: all references, and none of a lock. Pass those of the user here if others come from a list.
   */
  readonly trustedReferences?: readonly string[] | undefined;
  /**
   * `host[:port][/path]` that is tried before the mirrors of registries.conf and before the registry itself, in this
   * order; `http://host` for one without TLS.
   */
  readonly mirror?: string | readonly string[] | undefined;
  /** `os/architecture[/variant]`, or "all" alone. Default: linux with the architecture of this machine. */
  readonly platform?: string | readonly string[] | undefined;
  /**
   * Path of a lock, or of an archive or folder that has one, or the bytes of a lock: in place of references. The archive is
   * the one that the lock was made of, or of which it was made, byte for byte, whatever the tags mean now. Options that
   * contradict it are refused.
   */
  readonly lock?: LockInput | undefined;
  /**
   * Path or bytes of a need list, as `verify` and `push` write it: in place of references. The output is then a patch: the
   * blobs, and pieces of blobs, that the list names.
   */
  readonly need?: NeedInput | undefined;
  /**
   * What the receiving side has already: archives, folders, locks, or registries `host[:port][/prefix]`, which have the
   * images as `layout` and `map` say. Layers that one of them has are left out of the archive, which is then a delta.
   * Default: all layers are written.
   */
  readonly base?: string | readonly string[] | undefined;
  /**
   * What becomes of an index of which not all platforms are taken. "keep" leaves it as it is; "prune" drops the others, and
   * the digest changes; "fail" refuses it. Default "keep".
   */
  readonly sparse?: Sparse | undefined;
  /** Default "skip". Foreign layers that the registry has are pulled in any case. */
  readonly foreign?: Foreign | undefined;
  /** Refuses images without a signature, SBOM or other attestation. Default: none is required. */
  readonly requireReferrers?: RequireOptions["requireReferrers"];
  /** Writes the other images if one of several fails; the call still rejects, with PartialError. Default false. */
  readonly keepGoing?: boolean | undefined;
  /** Folder that remembers manifests, so that those that have not changed cost fewer requests. Default: none is remembered. */
  readonly cacheDir?: string | undefined;
  /** Starts over if an interrupted run left a partial file. Default false: the same call resumes it. */
  readonly restart?: boolean | undefined;
  /**
   * Single executables of imgpack to put next to the archive, for a machine without Node: with their licences, and a
   * SHA256SUMS for `sha256sum --check`. They are copied before anything is pulled. Default: none.
   */
  readonly withTool?: ToolTarget | readonly ToolTarget[] | undefined;
  /** Folder with the executables and their SHA256SUMS. Default: the folder of the running executable. */
  readonly toolDir?: string | undefined;
  /** Of v1 registries: false takes layers that have none of the checksums that the registry states. Default true. */
  readonly v1Checksums?: boolean | undefined;
  /** Of v1 registries: file for a report with a row per tag, as in `CopyOptions`. Default: none. */
  readonly report?: string | undefined;
}

export const PULL_OPTIONS: OptionsShape<PullOptions> = {
  ...OUTPUT_OPTIONS,
  output: required(OUTPUT),
  registry: COMMON.registry,
  trustedReferences: TEXT_LIST,
  mirror: TEXTS,
  platform: PLATFORMS,
  lock: LOCK_INPUT,
  need: NEED_INPUT,
  base: TEXTS,
  ...MAPPING,
  sparse: SPARSE_KIND,
  foreign: FOREIGN_KIND,
  requireReferrers: REQUIRED_KIND,
  keepGoing: FLAG,
  cacheDir: TRANSFER.cacheDir,
  restart: FLAG,
  withTool: TOOLS,
  toolDir: FOLDER_PATH,
  v1Checksums: FLAG,
  report: OUTPUT_PATH,
  shard: SHARD_KIND,
};

/** Layers that a delta leaves out. */
export interface AssumedByDelta {
  /** Number of layers. */
  readonly blobs: number;
  readonly bytes: number;
  /** Ids of the locks of the bases that have them, as far as they have one. */
  readonly bases: readonly Digest[];
}

/** What a need list asked for. */
export interface PulledPatch {
  /** Id of the bundle that needs it. */
  readonly of: Digest;
  /** Number of whole blobs. */
  readonly blobs: number;
  /** Number of pieces of blobs. */
  readonly pieces: number;
  /** Names of the images that need it. */
  readonly images: readonly string[];
}

/** What `pull` wrote. */
export interface PullResult {
  /** Path or engine as it was given; "-" for a stream. */
  readonly output: string;
  /** Only of an engine as the output; absent with `dryRun`. */
  readonly engine?: LoadedEngine;
  /** Of an output that is split: those that were written, all or those of a shard; with `dryRun`, what would be written. */
  readonly volumes?: readonly WrittenVolume[];
  /** Only with `shard`. */
  readonly shard?: PulledShard;
  /** With `shard`, those that one of its volumes has whole. */
  readonly images: readonly WrittenImage[];
  /** Sum over all blobs, each counted once. */
  readonly blobBytes: number;
  /** Number of blobs. */
  readonly blobs: number;
  /** HTTP requests. */
  readonly requests: number;
  /** Only of a delta: what is left out, because the bases have it. */
  readonly assumed?: AssumedByDelta;
  /** Only of a patch: what it contains. */
  readonly patch?: PulledPatch;
  /** What the images run on: `os/architecture[/variant]`; empty for artifacts. */
  readonly platforms: readonly string[];
  readonly seconds: number;
  /** What `withTool` put next to the archive, or found there; with `dryRun`, what it would put there. */
  readonly tools: readonly ToolFile[];
  /** Of images of a v1 registry: what became of each tag. */
  readonly rescue?: RescueReport;
}
