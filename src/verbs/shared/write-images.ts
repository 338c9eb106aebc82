import { type LockSettings, planLock } from "../../archive/lock/plan-lock.ts";
import type { ResumeOptions } from "../../archive/partial/opened-partial.ts";
import { dockerManifestBytes } from "../../archive/write/archive-contents.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import type { CopyPlan, ImageSource, ImageTarget } from "../../content/contracts.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { copyImages } from "../../copy/copy-image.ts";
import { openDigestCache } from "../../copy/digest-cache.ts";
import { reportImageEnds } from "../../copy/events/image-ends.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { dockerManifestNotes } from "../../oci/docker-manifest.ts";
import { nameNotes } from "../../oci/names/name-notes.ts";
import type { Platform } from "../../oci/platform.ts";
import { RECOMPRESS_CONCURRENCY } from "../../transform/recompress-layers.ts";
import type { OptionsShape } from "../../util/options/checked-options.ts";
import { CONCURRENCY_KIND, choice, FLAG } from "../../util/options/option-kinds.ts";
import { DEFAULT_CONCURRENCY } from "../../util/options/option-limits.ts";
import { fixedPace, type Pace } from "../../util/pace/pace.ts";
import { checkAgainstLock, namingGoneBlobs } from "../locking/check-lock.ts";
import { defaultPlatform, firstPlatform } from "../locking/default-platform.ts";
import { type LockFacts, lockSettings } from "../locking/lock-settings.ts";
import { type Layers, LOADERS, type Loader } from "../options/choices.ts";
import { COMMON, LAYERS_KIND } from "../options/common-options.ts";
import { SIGN_KIND, type SigningKeyOptions } from "../options/sign-options.ts";
import { dryRunNotes } from "../output/dry-run-notes.ts";
import type { OpenedOutput, OutputTargetOptions } from "../output/open-output.ts";
import { type SplitOutput, VOLUME_OPTIONS, type VolumeOptions } from "../output/volume-options.ts";
import { checkRequired, type RequireOptions } from "../referrers/require-referrers.ts";
import { sparseIndexNotes } from "../referrers/sparse-index-notes.ts";
import { absentImages, absentNotes, type WrittenImage, writtenImages } from "../written/written-image.ts";
import { idOf } from "./choose-image.ts";
import { layerChange, ZSTD_NOTE } from "./layer-change.ts";
import { checkLoads, checkOutput, type LoaderProfile, loaderProfile } from "./loader-profile.ts";
import { type ChooseOptions, planChosen, planOptionsOf } from "./plan-chosen.ts";
import {
  announceRecompression,
  type PlannedImages,
  type PlanOptions,
  planDockerImages,
  planRecompressed,
  planReferrers,
  planSettled,
  planWhole,
} from "./planned-images.ts";

/** Options of the functions that write archives. */
export interface OutputOptions extends VolumeOptions {
  /** Default: what `for` needs, or "keep" without it. */
  readonly layers?: Layers | undefined;
  /** Program that is to load the archive; layers that it cannot load are converted. Default: none in particular. */
  readonly for?: Loader | undefined;
  /** Writes what refers to the images, too: signatures, SBOMs, attestations. Default true. */
  readonly referrers?: boolean | undefined;
  /** Most blobs in transfer at once: `pull` starts with 6, and takes more while it helps. Default 32; `convert` 6. */
  readonly concurrency?: number | undefined;
  /**
   * Key that signs the lock of the archive, which names all that is in it: `imgpack.sig`. Not for a docker archive, which has
   * no lock. Default: the archive is not signed.
   */
  readonly sign?: SigningKeyOptions | undefined;
  /** Plans, but writes nothing. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Is called with each progress event. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

export const OUTPUT_OPTIONS: OptionsShape<OutputOptions> = {
  ...VOLUME_OPTIONS,
  layers: LAYERS_KIND,
  for: choice(LOADERS),
  referrers: FLAG,
  concurrency: CONCURRENCY_KIND,
  sign: SIGN_KIND,
  dryRun: FLAG,
  onProgress: COMMON.onProgress,
  signal: COMMON.signal,
};

export type { WrittenImage } from "../written/written-image.ts";

export interface Written {
  readonly images: readonly WrittenImage[];
  readonly plan: CopyPlan;
  /** Ids of the locks of those who have the assumed layers of the plan. */
  readonly bases: readonly Digest[];
  /** What the images run on. */
  readonly platforms: readonly string[];
  /** Of an output that is split. */
  readonly split: SplitOutput | undefined;
}

/** A plan without layers that others have. */
export interface LeftToBases {
  readonly plan: CopyPlan;
  /** Ids of the locks of these others, as far as they have one. */
  readonly bases: readonly Digest[];
}

/** Leaves layers out of a plan. */
export type LeaveToBases = (plan: CopyPlan, signal: AbortSignal | undefined) => Promise<LeftToBases>;

export interface WriteOptions extends OutputOptions, LockFacts, ChooseOptions {
  /** What the user asked for; an interrupted run can be resumed by the same command. */
  readonly command?: string | undefined;
  /** Discards what an interrupted run has left. */
  readonly restart?: boolean | undefined;
  readonly output: OpenedOutput;
  /** Names the source in messages. */
  readonly sourceName: string;
  /** The lock that what is written must have. */
  readonly expected?: Lock | undefined;
  /** Default: all layers are written. */
  readonly leaveToBases?: LeaveToBases | undefined;
  /** As in PullOptions. */
  readonly requireReferrers?: RequireOptions["requireReferrers"];
  /** Blobs that an earlier step of the call has counted. */
  readonly counted?: ReadonlySet<Digest> | undefined;
  /** Default: `concurrency` blobs at once, all the time. */
  readonly pace?: Pace | undefined;
  /** As in ArchiveContentsOptions; `sign` of the options takes precedence. */
  readonly signLock?: OutputTargetOptions["signLock"];
  /** As in ArchiveContentsOptions. */
  readonly layerOrder?: readonly Digest[] | undefined;
  /** As in the archive's ResumeOptions. */
  readonly formerDigests?: ReadonlyMap<Digest, Digest> | undefined;
}

/** Images as an output will have them: all digests are known, and nothing is written yet. */
export interface SettledImages {
  readonly written: Written;
  readonly source: ImageSource;
  readonly targetOptions: OutputTargetOptions;
  /** Maximum number of blobs that may be copied at once. */
  readonly maxConcurrency: number;
}

/** Writes the images of a source to an output, with the layers that the options ask for. */
export async function writeImages(source: ImageSource, options: WriteOptions): Promise<Written> {
  const settled = await settleImages(source, options);
  if (options.dryRun !== true) await copySettled(settled, options);
  return settled.written;
}

/** Plans what is written of a source, down to the bytes of each manifest. Layers that change are read for it. */
export async function settleImages(source: ImageSource, options: WriteOptions): Promise<SettledImages> {
  const { output, dryRun, lockedPlatforms = options.platforms } = options;
  const profile = options.for === undefined ? undefined : loaderProfile(options.for);
  const change = layerChange(options.layers, profile);
  if (profile !== undefined) checkOutput(output, profile);
  const platform = output.format === "docker" ? firstPlatform(lockedPlatforms) : defaultPlatform(lockedPlatforms);
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
  const named = settled.plan.roots.map(root => ({ id: idOf(root), names: root.names }));
  const manifestBytes = dockerManifestBytes(settled.plan, { platform, format: output.format });
  // A volume names no more images than loaders read.
  const listNotes = output.volumes === undefined ? dockerManifestNotes(manifestBytes) : [];
  // An engine has no index to push.
  const sparseNotes = options.verb === "pull" && !output.engine ? sparseIndexNotes(settled.plan) : [];
  for (const message of [...sparseNotes, ...nameNotes(named), ...listNotes]) planOptions.onNote(message);
  const layers = recompressed === selected ? undefined : change.target;
  const settings = lockSettings(chosen.planned, settled, layers, options);
  const { expected, leaveToBases } = options;
  const check = (written: CopyPlan, lock: LockSettings): void => {
    if (expected !== undefined && !willRecompress) checkAgainstLock(planLock(written, lock), expected);
  };
  if (expected?.assumes === undefined) check(settled.plan, settings);
  // Recompressed layers have other digests than those that a dry run knows.
  const { plan, bases } = willRecompress
    ? { plan: settled.plan, bases: [] }
    : ((await leaveToBases?.(settled.plan, options.signal)) ?? { plan: settled.plan, bases: [] });
  const lock = { ...settings, bases };
  if (expected?.assumes !== undefined) check(plan, lock);
  const targetOptions = { platform, lock, layerOrder: options.layerOrder, signLock: options.signLock };
  if (dryRun === true) for (const message of dryRunNotes(plan, options, targetOptions)) planOptions.onNote(message);
  return {
    written: {
      plan,
      bases,
      images: writtenImages(settled, absent),
      platforms: [...new Set(chosen.platforms.flat())],
      split: await output.volumes?.(plan, targetOptions, planOptions),
    },
    source: settled.source,
    targetOptions,
    maxConcurrency: Math.min(
      output.maxConcurrency,
      layers === undefined ? Number.POSITIVE_INFINITY : RECOMPRESS_CONCURRENCY,
    ),
  };
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

/** @param target default: the output of the options. */
export async function copySettled(
  { written: { plan, split }, source, targetOptions, maxConcurrency }: SettledImages,
  options: WriteOptions,
  target?: ImageTarget,
): Promise<void> {
  const { output, sourceName, expected, concurrency = DEFAULT_CONCURRENCY, counted, signal } = options;
  const { onProgress, end } = reportImageEnds(plan, options.onProgress);
  const pace = options.pace ?? fixedPace(concurrency);
  const copy = async (): Promise<void> =>
    void (await copyImages({
      ...{ plan, source, sourceName, pace, onProgress, signal },
      target: target ?? output.target(targetOptions, resumeOptions(options)),
      cache: await openDigestCache(undefined),
      atMost: maxConcurrency,
      counted: new Set([...(counted ?? []), ...(split?.elsewhere ?? [])]),
    }));
  await namingGoneBlobs(expected, source, plan, copy, signal);
  end();
}

/** How the output treats what an interrupted run has left. */
export function resumeOptions({ command, restart, formerDigests, onProgress }: WriteOptions): ResumeOptions {
  return { command, restart, formerDigests, onNote: noteTo(onProgress) };
}
