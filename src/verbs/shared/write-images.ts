import { planLock } from "../../archive/lock/plan-lock.ts";
import { dockerManifestBytes } from "../../archive/write/archive-contents.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import type { CopyPlan, ImageSource, Root } from "../../content/contracts.ts";
import { blobsOf, derivedSource } from "../../content/derived-source.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { copyImages } from "../../copy/copy-image.ts";
import { openDigestCache } from "../../copy/digest-cache.ts";
import { allPlatforms, checkPlatforms } from "../../copy/image-platforms.ts";
import { planNotes } from "../../copy/plan-notes.ts";
import { selectForRoots } from "../../copy/select-platforms.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { dockerManifestNotes } from "../../oci/docker-manifest.ts";
import { nameNotes } from "../../oci/names/name-notes.ts";
import { formatPlatform, type Platform } from "../../oci/platform.ts";
import { RECOMPRESS_CONCURRENCY } from "../../transform/recompress-layers.ts";
import type { OptionsShape } from "../../util/options/checked-options.ts";
import { CONCURRENCY_KIND, choice, FLAG } from "../../util/options/option-kinds.ts";
import { DEFAULT_CONCURRENCY } from "../../util/options/option-limits.ts";
import { checkAgainstLock, namingGoneBlobs } from "../locking/check-lock.ts";
import { defaultPlatform, firstPlatform } from "../locking/default-platform.ts";
import { type LockFacts, lockSettings } from "../locking/lock-settings.ts";
import type { Layers } from "../options/choices.ts";
import { COMMON, LAYERS_KIND } from "../options/common-options.ts";
import { boundIndexNotes } from "../referrers/bound-indexes.ts";
import { checkRequired, type RequireOptions } from "../referrers/require-referrers.ts";
import { absentImages, absentNotes, type WrittenImage, writtenImages } from "../written/written-image.ts";
import { idOf } from "./choose-image.ts";
import { layerChange, ZSTD_NOTE } from "./layer-change.ts";
import { checkLoads, checkOutput, LOADERS, type Loader, type LoaderProfile, loaderProfile } from "./loader-profile.ts";
import type { OpenedOutput, OutputTargetOptions } from "./open-output.ts";
import {
  announceRecompression,
  nameOf,
  type PlannedImages,
  type PlanOptions,
  planDockerImages,
  planImages,
  planRecompressed,
  planReferrers,
  planSettled,
  planSparse,
  planWhole,
} from "./planned-images.ts";

/** Options of the functions that write archives. */
export interface OutputOptions {
  /** Default: what `for` needs, or "keep" without it. */
  readonly layers?: Layers | undefined;
  /** Program that is to load the archive; layers that it cannot load are converted. Default: none in particular. */
  readonly for?: Loader | undefined;
  /** Writes what refers to the images, too: signatures, SBOMs, attestations. Default true. */
  readonly referrers?: boolean | undefined;
  /** Blobs in transfer at the same time. Default 6. */
  readonly concurrency?: number | undefined;
  /** Plans, but writes nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Is called with each progress event. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

export const OUTPUT_OPTIONS: OptionsShape<OutputOptions> = {
  layers: LAYERS_KIND,
  for: choice(LOADERS),
  referrers: FLAG,
  concurrency: CONCURRENCY_KIND,
  dryRun: FLAG,
  onProgress: COMMON.onProgress,
  signal: COMMON.signal,
};

export type { WrittenImage } from "../written/written-image.ts";

export interface Written {
  readonly images: readonly WrittenImage[];
  readonly plan: CopyPlan;
  /** What the images run on. */
  readonly platforms: readonly string[];
}

export interface WriteOptions extends OutputOptions, LockFacts {
  /** For errors. */
  readonly verb: "pull" | "lock" | "convert";
  /** What the user asked for; an interrupted run can be resumed by the same command. */
  readonly command?: string | undefined;
  /** Discards what an interrupted run has left. */
  readonly restart?: boolean | undefined;
  readonly output: OpenedOutput;
  /** Names the source in messages. */
  readonly sourceName: string;
  /** The lock that what is written must have. */
  readonly expected?: Lock | undefined;
  /** As in PullOptions. */
  readonly requireReferrers?: RequireOptions["requireReferrers"];
  /** True if no one asked for `platforms`: an image of one platform need not fit them. Default false. */
  readonly isPlatformDefault?: boolean;
  /** The roots as the archive has them, if `source` changed them already; in the same order. */
  readonly originals?: readonly Root[] | undefined;
  /** Called with each manifest that the source does not contain; without it such a manifest is an error. */
  readonly onAbsent?: ((descriptor: Descriptor) => void) | undefined;
  /** Blobs that an earlier step of the call has counted. */
  readonly counted?: ReadonlySet<Digest> | undefined;
}

/** Writes the images of a source to an output, with the layers that the options ask for. */
export async function writeImages(source: ImageSource, options: WriteOptions): Promise<Written> {
  const { output, platforms, dryRun } = options;
  const profile = options.for === undefined ? undefined : loaderProfile(options.for);
  const change = layerChange(options.layers, profile);
  if (profile !== undefined) checkOutput(output, profile);
  const platform = output.format === "docker" ? firstPlatform(platforms) : defaultPlatform(platforms);
  const lacking = new Set<Digest>();
  const onAbsent = (descriptor: Descriptor): void => {
    lacking.add(descriptor.digest);
    options.onAbsent?.(descriptor);
  };
  const planOptions = planOptionsOf({ ...options, onAbsent: options.onAbsent && onAbsent });
  if (change.target === "zstd") planOptions.onNote(ZSTD_NOTE);
  const chosen = await planChosen(source, options, planOptions);
  const selected = await planSelected(chosen.images, profile, platform, options, planOptions);
  const absent = absentImages(chosen.planned, selected, lacking);
  for (const message of absentNotes(absent)) planOptions.onNote(message);
  // A dry run does not measure recompressed layers: it would have to read them.
  const willRecompress = dryRun === true && announceRecompression(selected, change, planOptions);
  const recompressed = dryRun === true ? selected : await planRecompressed(selected, change, planOptions);
  // In an OCI layout every new manifest is an OCI manifest: not all readers of layouts know Docker's.
  const images = await planSettled(recompressed, output.format === "oci" || willRecompress, planOptions);
  // A docker archive has no manifests, so that nothing can refer to them.
  const isCarried = options.referrers !== false && output.format !== "docker";
  const settled = isCarried ? await planReferrers(images, planOptions) : images;
  checkRequired(options.verb, settled.plan, options.requireReferrers);
  if (options.verb === "pull") for (const message of boundIndexNotes(settled.plan)) planOptions.onNote(message);
  const named = settled.plan.roots.map(root => ({ id: idOf(root), names: root.names }));
  const manifestBytes = dockerManifestBytes(settled.plan, { platform, format: output.format });
  for (const message of [...nameNotes(named), ...dockerManifestNotes(manifestBytes)]) planOptions.onNote(message);
  const layers = recompressed === selected ? undefined : change.target;
  const lock = lockSettings(chosen.planned, settled, layers, options);
  if (options.expected !== undefined && !willRecompress)
    checkAgainstLock(planLock(settled.plan, lock), options.expected);
  if (dryRun === true) {
    for (const message of planNotes(settled.plan, options.sourceName)) planOptions.onNote(message);
  } else {
    const maxConcurrency = recompressed === selected ? output.maxConcurrency : RECOMPRESS_CONCURRENCY;
    await copyToOutput(settled, { platform, lock }, Math.min(output.maxConcurrency, maxConcurrency), options);
  }
  return {
    plan: settled.plan,
    images: writtenImages(settled, absent),
    platforms: [...new Set(chosen.platforms.flat())],
  };
}

export type ChooseOptions = Pick<
  WriteOptions,
  "platforms" | "isPlatformDefault" | "sparse" | "verb" | "originals" | "onAbsent" | "onProgress" | "signal"
>;

/** The images as the source has them, and what is taken of them. */
export interface ChosenImages {
  readonly planned: PlannedImages;
  readonly images: PlannedImages;
  /** What each image runs on, in the order of the plan's roots. */
  readonly platforms: readonly (readonly string[])[];
}

/** Plans what is taken of a source, before layers change. */
export async function planChosen(
  source: ImageSource,
  options: ChooseOptions,
  planOptions: PlanOptions = planOptionsOf(options),
): Promise<ChosenImages> {
  const planned = await planImages(source, options.originals, planOptions);
  const found = await platformsOf(planned, options);
  const sparse = options.verb === "convert" ? undefined : options.sparse;
  return { planned, platforms: found.platforms, images: await planSparse(found.images, sparse, planOptions) };
}

export function planOptionsOf({ platforms, verb, onAbsent, onProgress, signal }: ChooseOptions): PlanOptions {
  const onNote = noteTo(onProgress);
  return { selectFor: roots => selectForRoots(roots, platforms, verb), onAbsent, onNote, signal };
}

/** What the images run on. @throws NotFoundError if it is not what was asked for. */
async function platformsOf(
  { source, plan, originals }: PlannedImages,
  { platforms, isPlatformDefault, verb, signal }: ChooseOptions,
): Promise<Pick<ChosenImages, "images" | "platforms">> {
  const configs = new Map<Digest, Uint8Array>();
  const labels: (readonly string[])[] = [];
  const all = await allPlatforms(source, plan, signal, configs);
  for (const [index, root] of plan.roots.entries()) {
    const found = all[index] ?? [];
    const wanted = root.platforms ?? (isPlatformDefault === true ? "all" : platforms);
    if (wanted !== "all") checkPlatforms(wanted, found, `${verb} ${nameOf(root)}`);
    labels.push(found.map(formatPlatform));
  }
  // A registry is not asked again.
  const blob = blobsOf(source, digest => configs.get(digest));
  return { images: { source: derivedSource(source, { blob }), plan, originals }, platforms: labels };
}

/** The images that the output's format can contain. */
async function planSelected(
  planned: PlannedImages,
  profile: LoaderProfile | undefined,
  platform: Platform,
  { output }: WriteOptions,
  options: PlanOptions,
): Promise<PlannedImages> {
  if (profile !== undefined) checkLoads(planned.plan, profile, platform, options.onNote);
  if (output.format === "docker") return await planDockerImages(planned, platform, options);
  return profile?.importsAll === true ? await planWhole(planned, profile.name, options) : planned;
}

async function copyToOutput(
  { source, plan }: PlannedImages,
  targetOptions: OutputTargetOptions,
  maxConcurrency: number,
  {
    output,
    command,
    restart,
    sourceName,
    expected,
    concurrency = DEFAULT_CONCURRENCY,
    onProgress,
    counted,
    signal,
  }: WriteOptions,
): Promise<void> {
  const onNote = noteTo(onProgress);
  const target = output.target(targetOptions, { command, restart, onNote });
  const copy = async (): Promise<void> => {
    await copyImages({
      plan,
      source,
      target,
      sourceName,
      cache: await openDigestCache(undefined),
      concurrency: Math.min(concurrency, maxConcurrency),
      onProgress: onProgress ?? (() => undefined),
      counted,
      signal,
    });
  };
  await namingGoneBlobs(expected, source, plan, copy, signal);
}
