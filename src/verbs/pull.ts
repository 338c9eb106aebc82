import { dirname, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { hasV1 } from "../oci/legacy/has-v1.ts";
import { formatPlatform, hostPlatform, type Platform } from "../oci/platform.ts";
import { readingSource } from "../registry/client/registry-answer.ts";
import type { SourceReference } from "../registry/registry-source.ts";
import { checkedOptions } from "../util/options/checked-options.ts";
import { ToolFiles } from "./files/tool-files.ts";
import { withLockChoices } from "./locking/lock-choices.ts";
import { readPlatforms } from "./options/read-platforms.ts";
import { refuseV1Options } from "./options/refuse-v1-options.ts";
import { type OpenedOutput, openOutput } from "./output/open-output.ts";
import { PULL_OPTIONS, type PullOptions, type PullResult } from "./pull-options.ts";
import { checkRequireOptions } from "./referrers/require-referrers.ts";
import { readLock } from "./requested/read-lock.ts";
import type { RequestedImage } from "./requested/requested-image.ts";
import { RequestedSource } from "./requested/requested-source.ts";
import { type WriteOptions, writeImages } from "./shared/write-images.ts";

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
  if (hasV1(references)) {
    const { pullV1 } = await import("./v1/pull/pull-v1.ts");
    return await pullV1(references, options, async output => await findTools(options, output));
  }
  refuseV1Options(options);
  checkRequireOptions("pull", options);
  const started = performance.now();
  const lock = options.lock === undefined ? undefined : await readLock(options.lock, options);
  if (lock !== undefined) options = withLockChoices(options, lock);
  const platforms = readPlatforms("pull", options.platform, [hostPlatform()]);
  await using requested = new RequestedSource("pull", references, options, lock);
  const output = await openOutput(options.output, { sign: options.sign });
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
