import { KnownLocks } from "../../archive/lock/known-locks.ts";
import { isPatch } from "../../archive/open/is-patch.ts";
import { noteTo } from "../../content/progress.ts";
import { openDigestCache } from "../../copy/digest-cache.ts";
import { imagesToPlan } from "../../copy/events/planning.ts";
import { UsageError } from "../../errors.ts";
import { hasV1 } from "../../oci/legacy/has-v1.ts";
import { isEngineName } from "../../oci/names/engine-name.ts";
import { checkedOptions } from "../../util/options/checked-options.ts";
import { checkNeedFile } from "../needs/write-need.ts";
import { checkedList, listOf } from "../options/option-values.ts";
import { refuseShard, refuseV1Shard } from "../options/shard-option.ts";
import { Undelivered } from "../referrers/undelivered.ts";
import { Attempts } from "../shared/attempts.ts";
import { createBlobCounter } from "../shared/blob-counts.ts";
import { chosenProfile } from "../shared/chosen-profile.ts";
import { ZSTD_NOTE } from "../shared/layer-change.ts";
import { PushNames } from "../shared/push-names.ts";
import { RegistryPool } from "../shared/registry-pool.ts";
import { HeldBlobs } from "./held-blobs.ts";
import { planArchives } from "./plan-archives.ts";
import { pushArchive } from "./push-archive.ts";
import { PUSH_OPTIONS, type PushedImage, type PushOptions, type PushResult } from "./push-options.ts";
import type { PushRun } from "./push-to-repository.ts";

const IN_FILE = {
  expected: "the name of a file",
  hint: "Each shard reads the archive itself: save it to a file that all machines can read.",
};

export type { PushedImage, PushOptions, PushResult, UsedEngine } from "./push-options.ts";

/**
 * Pushes the images of archives to registries. Blobs that the registry has are not sent, raw layers are compressed while
 * they are sent, and tags come last. An archive that fails does not stop the next one.
 *
 * @param archives files, folders, or "-" for stdin; also images of an engine: `docker://app:1`, `podman://app:1`,
 * `containerd://app:1`, which are read once while their layers are sent.
 * @throws ArchiveError for an archive that cannot be understood; IntegrityError for bytes that are not what a digest says.
 * @throws EngineError, NetworkError, NotFoundError from an engine; AuthError, NetworkError, RegistryError from the registry; StorageError for a file that cannot be read.
 * @throws UsageError, NotFoundError for options that do not fit the archive, such as a name without a registry; UsageError
 * before anything is sent for two images that would get one name.
 * @throws PartialError if some of several archives or repositories failed, or what refers to an image; the others are
 * pushed.
 * @example
 * ```ts
 * import { push } from "imgpack";
 *
 * const { images } = await push(["app.tar"], { registry: "registry.lan:5000" });
 * for (const { reference, digest } of images) console.log(`${reference}@${digest}`);
 * ```
 */
export async function push(archives: readonly string[], options: PushOptions = {}): Promise<PushResult> {
  options = checkedOptions(options, PUSH_OPTIONS);
  const started = performance.now();
  archives = checkedList("push", "archives", archives);
  if (hasV1([...listOf(options.tag), ...listOf(options.to)])) {
    refuseV1Shard(options);
    const { pushArchivesV1 } = await import("../v1/writing/push-archives-v1.ts");
    return await pushArchivesV1(archives, options);
  }
  if (archives.includes("-")) refuseShard(options, { ...IN_FILE, found: "an archive on stdin" });
  if (archives.some(isEngineName)) refuseShard(options, { ...IN_FILE, found: "an image of a local engine" });
  refusePlatform(options);
  if (options.need !== undefined) await checkNeedFile(options.need);
  const compression = chosenProfile(options.compression);
  const names = new PushNames(options);
  const blobCounter = createBlobCounter(options.onProgress ?? (() => undefined));
  if (compression.profile?.format === "zstd") noteTo(blobCounter.onProgress)(ZSTD_NOTE);
  const cache = await openDigestCache(options.cacheDir, noteTo(blobCounter.onProgress));
  await using registries = new RegistryPool(options, names.registries(), blobCounter.onProgress, options.cacheDir);
  const run: PushRun = {
    options: { ...options, onProgress: blobCounter.onProgress },
    names,
    registries,
    cache,
    compression,
    requireSigned: await signatureCheck(options),
    isTolerant: (await Promise.all(archives.map(isPatch))).includes(true),
    undelivered: new Undelivered(),
    held: new HeldBlobs(),
    engines: new Map(),
  };
  const images: PushedImage[] = [];
  await using planned = await planArchives(archives, run);
  const resultOf = async (): Promise<PushResult> => ({
    images,
    ...(await registries.traffic()),
    blobs: blobCounter.counts(),
    uncheckedBlobs: blobCounter.unread(),
    ...(run.engines.size === 0 ? {} : { engines: [...run.engines.values()] }),
    ...(planned.shard === undefined ? {} : { shard: planned.shard }),
    seconds: (performance.now() - started) / 1000,
  });
  const attempts = new Attempts(planned.archives.length, options.signal, planned.shard !== undefined);
  run.options.onProgress(imagesToPlan(planned.archives.reduce((sum, { images: own }) => sum + own, 0)));
  for (const { paths, take } of planned.archives) {
    await attempts.run(paths, async () => {
      await using archive = take();
      await pushArchive(archive, run, images, resultOf);
    });
  }
  const hint = "The other archives are pushed. Fix the cause and push the failed ones again.";
  const result = await resultOf();
  return run.undelivered.settle("push", () => attempts.settle("push", "archives", result, hint));
}

/** @throws UsageError for what is no public key. */
async function signatureCheck({ requireSignature, signal }: PushOptions): Promise<PushRun["requireSigned"]> {
  if (requireSignature === undefined) return undefined;
  const { checkSignature, parsePublicKeys } = await import("../signed/bundle-signature.ts");
  const keys = parsePublicKeys(listOf(requireSignature), "requireSignature");
  const allowed = { keys, locks: new KnownLocks() };
  return async ({ members }) => {
    // A patch has no images, and its bytes count only where they have the digests of a lock that is signed.
    const own = members.filter(({ part }) => part?.kind !== "patch");
    for (const member of own) await checkSignature(member, allowed, signal);
  };
}

/** @throws UsageError */
function refusePlatform({ platform }: PushOptions): void {
  if (platform === undefined) return;
  throw new UsageError("Cannot use --platform: it is for v1 registries as the target, expected none", {
    hint: 'A push sends all platforms of an archive. Choose some with "imgpack convert --platform", and push its output.',
  });
}
