import { checkLockContents, readArchiveLock } from "../../archive/lock/archive-lock.ts";
import { KnownLocks } from "../../archive/lock/known-locks.ts";
import { planLock } from "../../archive/lock/plan-lock.ts";
import { openArchive } from "../../archive/open-archive.ts";
import { openMerged } from "../../archive/set/open-archives.ts";
import type { Lock } from "../../bundle/lock/lock.ts";
import { lockText, readableLock } from "../../bundle/lock/readable-lock.ts";
import { unsaidNeeds } from "../../bundle/shards/locked-blobs.ts";
import type { ImageSource } from "../../content/contracts.ts";
import { noteTo, type OnProgress, readingTo } from "../../content/progress.ts";
import { planNotes } from "../../copy/plan-notes.ts";
import { UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { hostPlatform, type Platform } from "../../oci/platform.ts";
import { readingSource } from "../../registry/client/registry-answer.ts";
import { quote } from "../../util/format.ts";
import { checkedOptions, type OptionsShape } from "../../util/options/checked-options.ts";
import { FLAG, TEXT_LIST, TEXTS } from "../../util/options/option-kinds.ts";
import { leaveAssumed } from "../base/assumed-layers.ts";
import { defaultPlatform } from "../locking/default-platform.ts";
import { carriedOver, type LockFacts, lockSettings } from "../locking/lock-settings.ts";
import { isArchivePath } from "../options/archive-path.ts";
import type { Sparse } from "../options/choices.ts";
import { COMMON, PLATFORMS, SPARSE_KIND, TRANSFER } from "../options/common-options.ts";
import { readPlatforms } from "../options/read-platforms.ts";
import type { RegistryOptions } from "../options/registry-options.ts";
import { sparseIndexNotes } from "../referrers/sparse-index-notes.ts";
import { checkedImages, type RequestedImage } from "../requested/requested-image.ts";
import { RequestedSource } from "../requested/requested-source.ts";
import { type ChooseOptions, planChosen, planOptionsOf } from "../shared/plan-chosen.ts";
import { planReferrers, planSettled } from "../shared/planned-images.ts";
import { archiveBytes, blobsBelow, imageSizes, type LockedImageSize, type MediaCount, mediaFor } from "./lock-sizes.ts";

/** Options of `lock`. */
export interface LockOptions {
  /** How registries are named and reached; a string is short for `{ host }`. */
  readonly registry?: string | RegistryOptions | undefined;
  /** As in `PullOptions`. */
  readonly trustedReferences?: readonly string[] | undefined;
  /** As in `PullOptions`. */
  readonly mirror?: string | readonly string[] | undefined;
  /** `os/architecture[/variant]`, or "all" alone. Default: linux with the architecture of this machine. */
  readonly platform?: string | readonly string[] | undefined;
  /** As in `PullOptions`. */
  readonly sparse?: Sparse | undefined;
  /** Locks what refers to the images, too: signatures, SBOMs, attestations. Default true. */
  readonly referrers?: boolean | undefined;
  /** Locks the other images if one of several fails; the call still rejects, with PartialError. Default false. */
  readonly keepGoing?: boolean | undefined;
  /** As in `PullOptions`. */
  readonly cacheDir?: string | undefined;
  /** Is called with notes and retries. */
  readonly onProgress?: OnProgress | undefined;
  /** Stops the call; its promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

const LOCK_OPTIONS: OptionsShape<LockOptions> = {
  ...COMMON,
  trustedReferences: TEXT_LIST,
  mirror: TEXTS,
  platform: PLATFORMS,
  sparse: SPARSE_KIND,
  referrers: FLAG,
  keepGoing: FLAG,
  cacheDir: TRANSFER.cacheDir,
};

/** What images mean now. */
export interface LockResult {
  /** The lock as a file: JSON with one image or blob per line. `pull` writes the same into the archive, but for `needs`. */
  readonly text: string;
  /** sha256 of the text without its fields `id` and `needs`; people read out the first 12 digits. */
  readonly id: Digest;
  /** In the order of the lock: by name. */
  readonly images: readonly LockedImageSize[];
  /** Sum over all blobs, each counted once. */
  readonly bytes: number;
  /** Sum over all images, each with all of its blobs. */
  readonly separateBytes: number;
  /** Size of the archive that `pull` writes. */
  readonly archiveBytes: number;
  /** How many of the usual media the archive takes at least. */
  readonly media: readonly MediaCount[];
  /** Number of images that could not be read. */
  readonly left: number;
  /** HTTP requests. */
  readonly requests: number;
  readonly seconds: number;
}

/**
 * Finds out what images mean now, without their layers: digests, sizes, and what an archive of them takes. `pull` of the same
 * images writes the same lock into the archive, and `pull` of the lock writes the same archive later.
 *
 * @param references `[registry/]repository[:tag]` or `[registry/]repository@digest`, or an object with more; or the path
 * of an archive or folder, whose lock it is, or the paths of volumes.
 * @throws NotFoundError also for an image without a `platform` that was asked for; AuthError, NetworkError, RegistryError, IntegrityError from the registry.
 * @throws ArchiveError, StorageError for an archive that cannot be read, or that its lock does not fit.
 * @throws UsageError, BadReferenceError for arguments that cannot be used.
 * @throws PartialError with `keepGoing`, if some of several images failed; the others are locked.
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { lock } from "imgpack";
 *
 * const { text, bytes, images } = await lock(["registry.lan:5000/team/app:1.4"], { platform: "linux/amd64" });
 * await writeFile("site.lock", text);
 * for (const { name, digest } of images) console.log(name, digest, bytes);
 * ```
 */
export async function lock(
  references: readonly (string | RequestedImage)[],
  options: LockOptions = {},
): Promise<LockResult> {
  options = checkedOptions(options, LOCK_OPTIONS);
  const started = performance.now();
  const paths = await archivesAmong(checkedImages("lock", references), options);
  if (paths !== undefined) return await lockArchives(paths, options, started);
  const platforms = readPlatforms("lock", options.platform, [hostPlatform()]);
  await using requested = new RequestedSource("lock", references, options);
  await requested.expand(options.signal);
  await using source = requested.open(platforms);
  const { left, known } = requested;
  const found = await readingSource(
    async () =>
      await plannedLock(source, {
        verb: "lock",
        platforms,
        isPlatformDefault: requested.isPlatformDefault,
        sparse: options.sparse,
        referrers: options.referrers,
        left,
        known,
        sourceName: requested.name,
        onProgress: options.onProgress,
        signal: options.signal,
      }),
  );
  const { requests } = await requested.registries.traffic();
  const result = resultOf(found, requests, started);
  requested.settle(result, "The lock has the others.");
  return result;
}

type PlanLockOptions = ChooseOptions &
  LockFacts &
  Pick<LockOptions, "referrers"> & {
    readonly sourceName: string;
  };

/** @param given the lock of an archive, in place of the one that its images give. */
async function plannedLock(source: ImageSource, options: PlanLockOptions, given?: Lock): Promise<Found> {
  const planOptions = planOptionsOf(options);
  const { planned, images, platforms } = await planChosen(source, options, planOptions);
  const whole = await planSettled(images, false, planOptions);
  const settled = options.referrers === false ? whole : await planReferrers(whole, planOptions);
  const settings = lockSettings(planned, settled, undefined, options);
  const { plan } = settled;
  // Of an archive it is too late for the other platforms.
  const sparse = given === undefined ? sparseIndexNotes(plan) : [];
  for (const message of [...planNotes(plan, options.sourceName), ...sparse]) planOptions.onNote(message);
  const found = planLock(plan, settings);
  if (given !== undefined) checkLockContents(given, found, options.sourceName);
  const lock = given ?? found;
  const platform = defaultPlatform(options.platforms);
  const { assumes = [], bases } = lock;
  const below = lock.images.map(image => blobsBelow(image, plan));
  const needs = unsaidNeeds(lock, below);
  return {
    lock: needs === undefined ? lock : { ...lock, needs },
    images: imageSizes(lock, plan, below, platforms),
    archiveBytes:
      assumes.length === 0
        ? archiveBytes(plan, platform, { ...settings, made: found })
        : archiveBytes(leaveAssumed(plan, assumes), platform, { ...settings, bases }),
  };
}

interface Found extends Pick<LockResult, "images" | "archiveBytes"> {
  readonly lock: Lock;
}

function resultOf({ lock, images, archiveBytes }: Found, requests: number, started: number): LockResult {
  return {
    text: readableLock(lockText(lock), "lock"),
    id: lock.id,
    images,
    bytes: lock.blobs.reduce((sum, { size }) => sum + size, 0),
    separateBytes: images.reduce((sum, { bytes }) => sum + bytes, 0),
    archiveBytes,
    media: mediaFor(archiveBytes),
    left: lock.left.length,
    requests,
    seconds: (performance.now() - started) / 1000,
  };
}

async function lockArchives(paths: readonly string[], options: LockOptions, started: number): Promise<LockResult> {
  const { onProgress, signal } = options;
  const onNote = noteTo(onProgress);
  const open = async (path: string, locks: KnownLocks): ReturnType<typeof openArchive> =>
    await openArchive(path, { onNote, onRead: readingTo(onProgress, path), locks, signal });
  await using archive = await openMerged(paths, { onNote, open, signal });
  const [file] = archive.members;
  const isItself = file === archive;
  const given = isItself
    ? await readArchiveLock(file.archive, file.images, new KnownLocks(), signal)
    : await archive.lock(signal);
  const platforms: readonly Platform[] | "all" = "all";
  const found = await plannedLock(
    archive,
    {
      verb: "lock",
      platforms,
      known: carriedOver(given),
      onAbsent: () => undefined,
      sourceName: archive.what,
      onProgress,
      signal,
    },
    given,
  );
  return resultOf(found, 0, started);
}

/** The paths, if all are some. @throws UsageError for them with options that an archive has decided already. */
async function archivesAmong(
  images: readonly RequestedImage[],
  { platform, sparse, referrers }: LockOptions,
): Promise<readonly string[] | undefined> {
  const paths = images.map(({ reference }) => reference);
  for (const path of paths) if (!(await isArchivePath(path))) return undefined;
  if (paths.length === 0) return undefined;
  if (platform === undefined && sparse === undefined && referrers !== false) return paths;
  throw new UsageError(
    `Cannot lock ${paths.map(quote).join(" and ")}: found a choice of platforms or referrers, expected none for an archive`,
    { hint: 'It has what it has: "imgpack convert" takes some of its platforms, or leaves out its referrers.' },
  );
}
