import { dirname, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { formatPlatform, hostPlatform, type Platform } from "../oci/platform.ts";
import { readingSource } from "../registry/client/registry-answer.ts";
import type { SourceReference } from "../registry/registry-source.ts";
import { checkedOptions, type OptionsShape } from "../util/options/checked-options.ts";
import { FLAG, FOLDER_PATH, OUTPUT, required, TEXT_LIST, TEXTS } from "../util/options/option-kinds.ts";
import { type ToolFile, ToolFiles } from "./files/tool-files.ts";
import { withLockChoices } from "./locking/lock-choices.ts";
import type { Foreign, Sparse, ToolTarget } from "./options/choices.ts";
import { COMMON, FOREIGN_KIND, PLATFORMS, SPARSE_KIND, TOOLS, TRANSFER } from "./options/common-options.ts";
import { readPlatforms } from "./options/read-platforms.ts";
import type { RegistryOptions } from "./options/registry-options.ts";
import { checkRequireOptions, REQUIRED_KIND, type RequireOptions } from "./referrers/require-referrers.ts";
import { LOCK_INPUT, type LockInput, readLock } from "./requested/read-lock.ts";
import type { RequestedImage } from "./requested/requested-image.ts";
import { RequestedSource } from "./requested/requested-source.ts";
import { type ArchiveOutput, type OpenedOutput, openOutput } from "./shared/open-output.ts";
import {
  OUTPUT_OPTIONS,
  type OutputOptions,
  type WriteOptions,
  type WrittenImage,
  writeImages,
} from "./shared/write-images.ts";

/** Options of `pull`. */
export interface PullOptions extends OutputOptions {
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
}

const PULL_OPTIONS: OptionsShape<PullOptions> = {
  ...OUTPUT_OPTIONS,
  output: required(OUTPUT),
  registry: COMMON.registry,
  trustedReferences: TEXT_LIST,
  mirror: TEXTS,
  platform: PLATFORMS,
  lock: LOCK_INPUT,
  sparse: SPARSE_KIND,
  foreign: FOREIGN_KIND,
  requireReferrers: REQUIRED_KIND,
  keepGoing: FLAG,
  cacheDir: TRANSFER.cacheDir,
  restart: FLAG,
  withTool: TOOLS,
  toolDir: FOLDER_PATH,
};

/** What `pull` wrote. */
export interface PullResult {
  /** Path as it was given; "-" for a stream. */
  readonly output: string;
  readonly images: readonly WrittenImage[];
  /** Sum over all blobs, each counted once. */
  readonly blobBytes: number;
  /** Number of blobs. */
  readonly blobs: number;
  /** HTTP requests. */
  readonly requests: number;
  /** What the images run on: `os/architecture[/variant]`; empty for artifacts. */
  readonly platforms: readonly string[];
  readonly seconds: number;
  /** What `withTool` put next to the archive, or found there; with `dryRun`, what it would put there. */
  readonly tools: readonly ToolFile[];
}

/**
 * Pulls images into one archive that docker, podman and containerd load. The bytes of the registry stay as they are, unless
 * `layers` or `for` ask for other layers. The output gets its name only when it is complete; the same call resumes an
 * interrupted one.
 *
 * @param references `[registry/]repository[:tag]` or `[registry/]repository@digest`, or an object with more; at least one,
 * or none with `lock`.
 * @throws NotFoundError also for an image without a `platform` that was asked for; AuthError, NetworkError, RegistryError, IntegrityError from the registry.
 * @throws StorageError if the output cannot be written; UsageError, BadReferenceError for arguments that cannot be used.
 * @throws PartialError with `keepGoing`, if some of several images failed; the others are written.
 * @example
 * ```ts
 * import { pull } from "imgpack";
 *
 * const { images } = await pull(["registry.lan:5000/team/app:1.4"], { output: "app.tar", platform: "linux/amd64" });
 * for (const { names, digest } of images) console.log(names, digest);
 * ```
 */
export async function pull(
  references: readonly (string | RequestedImage)[],
  options: PullOptions,
): Promise<PullResult> {
  options = checkedOptions(options, PULL_OPTIONS);
  checkRequireOptions("pull", options);
  const started = performance.now();
  const lock = options.lock === undefined ? undefined : await readLock(options.lock, options);
  if (lock !== undefined) options = withLockChoices(options, lock);
  const platforms = readPlatforms("pull", options.platform, [hostPlatform()]);
  await using requested = new RequestedSource("pull", references, options, lock);
  const output = await openOutput(options.output);
  const tools = await findTools(options, output);
  await requested.expand(options.signal);
  if (options.dryRun !== true) await tools?.copy(options.signal);
  await using source = requested.open(platforms);
  const write: WriteOptions = {
    verb: "pull",
    ...options,
    output,
    platforms,
    isPlatformDefault: requested.isPlatformDefault,
    expected: lock,
    left: requested.left,
    known: requested.known,
    command: commandOf(requested.references, platforms, options),
    sourceName: requested.name,
  };
  const written = await readingSource(async () => await writeImages(source, write));
  const { plan, images, platforms: found } = written;
  const { requests } = await requested.registries.traffic();
  const result: PullResult = {
    output: output.name,
    images,
    blobBytes: plan.totalBytes,
    blobs: plan.blobs.length,
    requests,
    platforms: found,
    seconds: (performance.now() - started) / 1000,
    tools: tools?.files ?? [],
  };
  requested.settle(result, `${output.name} contains the others.`);
  return result;
}

/** @throws UsageError for an archive that has no folder; StorageError. */
async function findTools(
  { withTool, toolDir, signal }: PullOptions,
  { kind, name }: OpenedOutput,
): Promise<ToolFiles | undefined> {
  if (withTool === undefined) return undefined;
  if (kind === "stream") {
    throw new UsageError("Cannot put executables next to the archive: it goes to a stream, expected a file or folder");
  }
  const targets = typeof withTool === "string" ? [withTool] : withTool;
  return await ToolFiles.find(targets, toolDir ?? dirname(process.execPath), resolve(name), signal);
}

/** What makes two runs the same: not how fast or by which way, but what is to be in the file. */
function commandOf(
  references: readonly SourceReference[],
  platforms: readonly Platform[] | "all",
  { layers, for: loader, foreign, sparse, referrers = true }: PullOptions,
): string {
  const names = references.map(({ registry, repository, tag, digest, name, platforms: own }) => [
    [registry, repository, tag, digest],
    ...(name === undefined && own === undefined ? [] : [name, own === undefined ? own : platformTexts(own)]),
  ]);
  return JSON.stringify([
    "pull",
    names,
    platformTexts(platforms),
    layers,
    loader,
    foreign,
    referrers,
    ...(sparse === undefined ? [] : [sparse]),
  ]);
}

function platformTexts(platforms: readonly Platform[] | "all"): readonly string[] | "all" {
  return platforms === "all" ? platforms : platforms.map(formatPlatform);
}
