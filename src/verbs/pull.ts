import { dirname, resolve } from "node:path";
import type { Lock } from "../bundle/lock/lock.ts";
import { parseVolumeSize } from "../bundle/volumes/volume-size.ts";
import type { AssumedLayer } from "../content/contracts.ts";
import { UsageError } from "../errors.ts";
import { hasV1 } from "../oci/legacy/has-v1.ts";
import { formatPlatform, hostPlatform, type Platform } from "../oci/platform.ts";
import { readingSource } from "../registry/client/registry-answer.ts";
import type { SourceReference } from "../registry/registry-source.ts";
import { checkedOptions } from "../util/options/checked-options.ts";
import type { PullBases } from "./base/pull-bases.ts";
import { ToolFiles } from "./files/tool-files.ts";
import { withLockChoices } from "./locking/lock-choices.ts";
import { listOf } from "./options/option-values.ts";
import { readPlatforms } from "./options/read-platforms.ts";
import { refuseV1Options } from "./options/refuse-v1-options.ts";
import { registryOptions } from "./options/registry-options.ts";
import { refuseShard, refuseV1Shard } from "./options/shard-option.ts";
import { forEngine, loadedBy } from "./output/for-engine.ts";
import { type OpenedOutput, type OpenOutputOptions, openOutput } from "./output/open-output.ts";
import { blobCounts, imagesOfSplit } from "./output/volume-options.ts";
import { PULL_OPTIONS, type PullOptions, type PullResult } from "./pull-options.ts";
import { checkRequireOptions } from "./referrers/require-referrers.ts";
import { readLock } from "./requested/read-lock.ts";
import type { RequestedImage } from "./requested/requested-image.ts";
import { RequestedSource } from "./requested/requested-source.ts";
import { type LeaveToBases, type WriteOptions, writeImages } from "./shared/write-images.ts";

/**
 * Pulls images into one archive that docker, podman and containerd load. The bytes of the registry stay as they are, unless
 * `layers` or `for` ask for other layers. The output gets its name only when it is complete; the same call resumes an
 * interrupted one.
 *
 * @param references `[registry/]repository[:tag]` or `[registry/]repository@digest`, or an object with more; at least one,
 * or none with `lock`.
 * @throws NotFoundError also for an image without a `platform` that was asked for; AuthError, NetworkError, RegistryError, IntegrityError from the registry.
 * @throws EngineError, NetworkError from an engine as the output; StorageError if the output cannot be written; UsageError, BadReferenceError for arguments that cannot be used.
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
  if (hasV1(references)) {
    refuseBase(options);
    refuseV1Shard(options);
    const { pullV1 } = await import("./v1/pull/pull-v1.ts");
    return await pullV1(references, options, async output => await findTools(options, output));
  }
  refuseV1Options(options);
  if (options.need !== undefined) {
    if (references.length > 0)
      throw new UsageError("Cannot pull a need list: found references next to it, expected it alone");
    refuseShard(options, {
      found: "a need list",
      expected: "images or a lock",
      hint: "A patch is small: leave out --shard, and pull it in one run.",
    });
    const { pullPatch } = await import("./patch/pull-patch.ts");
    return await pullPatch(options, await openOutput(options.output));
  }
  checkRequireOptions("pull", options);
  const started = performance.now();
  const lock = options.lock === undefined ? undefined : await readLock(options.lock, options);
  if (lock !== undefined) options = withLockChoices(options, lock);
  const platforms = readPlatforms("pull", options.platform, [hostPlatform()]);
  const output = await openOutput(options.output, outputOptions(options));
  options = forEngine(options, output);
  const bases = await basesOf(options, output);
  const otherRegistries = bases?.registries;
  await using requested = new RequestedSource("pull", references, { ...options, otherRegistries }, lock);
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
    leaveToBases: bases?.leaveToBases(requested.registries) ?? (await leftByLock(lock)),
    left: requested.left,
    known: requested.known,
    command: commandOf(requested.references, platforms, options),
    sourceName: requested.name,
    pace: requested.registries.pace,
  };
  const written = await readingSource(async () => await writeImages(source, write));
  const { plan, images, platforms: found, split } = written;
  const { assumed } = plan;
  const { requests } = await requested.registries.traffic();
  const result: PullResult = {
    output: output.name,
    ...loadedBy(output),
    ...(split === undefined ? {} : { volumes: split.volumes }),
    ...(split?.shard === undefined ? {} : { shard: split.shard }),
    images: imagesOfSplit(images, split),
    ...blobCounts(plan, split),
    requests,
    ...(assumed === undefined
      ? {}
      : { assumed: { blobs: assumed.length, bytes: bytesOf(assumed), bases: written.bases } }),
    platforms: found,
    seconds: (performance.now() - started) / 1000,
    tools: tools?.files ?? [],
  };
  requested.settle(
    result,
    output.engine === undefined ? `${output.name} contains the others.` : "The others are loaded.",
  );
  return result;
}

/** @throws UsageError for a base that cannot be used; as `openPullBases`. */
async function basesOf(options: PullOptions, { kind, name }: OpenedOutput): Promise<PullBases | undefined> {
  const { base } = options;
  if (base === undefined) {
    checkMapping(options);
    return undefined;
  }
  const { openPullBases } = await import("./base/pull-bases.ts");
  return await openPullBases(listOf(base), kind === "stream" ? undefined : name, options);
}

/** The lock of a delta gives this delta again. */
async function leftByLock(lock: Lock | undefined): Promise<LeaveToBases | undefined> {
  if (lock?.assumes === undefined) return undefined;
  const { leaveAsLocked } = await import("./base/pull-bases.ts");
  return leaveAsLocked(lock);
}

function checkMapping({ layout, map }: PullOptions): void {
  if (layout === undefined && map === undefined) return;
  throw new UsageError(`Cannot use ${layout === undefined ? "map" : "layout"}: no base named, expected a registry`, {
    hint: "They say where a registry that is a base has the images: --base HOST[:PORT][/PREFIX].",
  });
}

function refuseBase({ base }: PullOptions): void {
  if (base === undefined) return;
  throw new UsageError("Cannot use --base with images of a v1 registry: found both, expected other images", {
    hint: "Layers of the v1 protocol have no digests that a base could have.",
  });
}

function bytesOf(assumed: readonly AssumedLayer[]): number {
  return assumed.reduce((sum, { descriptor: { size } }) => sum + size, 0);
}

function outputOptions({ registry, sign, volumeSize, volume, shard, signal }: PullOptions): OpenOutputOptions {
  return { idleMs: registryOptions(registry).retry?.timeoutMs, sign, volumeSize, volume, shard, signal };
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
  { layers, for: loader, foreign, sparse, referrers = true, base, layout, map, volumeSize }: PullOptions,
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
    ...(base === undefined ? [] : [{ base: listOf(base), layout, map: listOf(map) }]),
    ...(volumeSize === undefined ? [] : [{ volumeBytes: parseVolumeSize(volumeSize) }]),
  ]);
}

function platformTexts(platforms: readonly Platform[] | "all"): readonly string[] | "all" {
  return platforms === "all" ? platforms : platforms.map(formatPlatform);
}
