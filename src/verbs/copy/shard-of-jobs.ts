import type { Lock } from "../../bundle/lock/lock.ts";
import { lockedBlobs } from "../../bundle/shards/locked-blobs.ts";
import { planShards, type ShardBlob } from "../../bundle/shards/plan-shards.ts";
import type { Shard } from "../../bundle/shards/shard.ts";
import { type ShardSummary, summaryOf, summaryText } from "../../bundle/shards/shard-summary.ts";
import { stepTo } from "../../content/progress.ts";
import { IMAGES_AT_ONCE } from "../../copy/claims/run-images.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatPlatform } from "../../oci/platform.ts";
import { formatReference, parseReference, resolveDockerHub } from "../../oci/reference.ts";
import { isBadAnswer, readingAnswer } from "../../registry/client/registry-answer.ts";
import { groupedBy } from "../../util/append.ts";
import { runBounded } from "../../util/task-group.ts";
import { lockedFinder } from "../requested/locked-finder.ts";
import type { CopyRun } from "./copy-between.ts";
import type { CopyJob, FailedGlob } from "./copy-jobs.ts";
import { gatherImage, prepareImage } from "./prepare-image.ts";

export interface ShardOfJobs {
  readonly jobs: readonly CopyJob[];
  readonly failed: readonly FailedGlob[];
  readonly summary: ShardSummary;
}

/**
 * The images of one shard. What they need is taken from the lock where it says so, or else from their manifests: all of them are
 * read, and what cannot be read now would divide the images in another way than other shards do.
 *
 * @param failed is reported by the first shard.
 * @throws NetworkError, AuthError, RegistryError
 */
export async function shardOfJobs(
  jobs: readonly CopyJob[],
  failed: readonly FailedGlob[],
  shard: Shard,
  run: Omit<CopyRun, "platforms"> & { readonly lock: Lock | undefined },
): Promise<ShardOfJobs> {
  for (const { error } of failed) if (!isLasting(error)) throw error;
  const locked = lockedNeeds(run);
  // What a lock says of referrers is the same for all shards, whatever is signed in the meantime.
  const referrersFinder = run.lock?.referrers === true ? lockedFinder(run.lock) : undefined;
  const needs: Need[] = [];
  const onImage = stepTo(run.onProgress, "images", jobs.length);
  await runBounded(
    jobs.entries(),
    IMAGES_AT_ONCE,
    async ([index, job], signal) => {
      onImage();
      const known = locked(job);
      needs[index] =
        known === undefined
          ? await needOf(job, { ...run, referrersFinder, signal })
          : { key: keyOf(job), job, blobs: known };
    },
    run.signal,
  );
  const groups = [...groupedBy(needs, ({ job }) => imageOf(job)).values()].map(names => ({
    // As the call has them: a tag may get another digest between two shards.
    key: names.map(({ key }) => key).sort()[0] ?? "",
    names,
    blobs: names.flatMap(({ blobs }) => blobs),
  }));
  const plan = planShards(groups, shard.of);
  const own = new Set(plan.loads[shard.index]?.images);
  const kept = new Set(groups.filter(({ key }) => own.has(key)).flatMap(({ names }) => names));
  const summary = { ...summaryOf(plan, shard), images: kept.size, ofImages: jobs.length };
  run.registries.note(summaryText(summary));
  return {
    jobs: needs.filter(need => kept.has(need)).map(({ job }) => job),
    failed: shard.index === 0 ? failed : [],
    summary,
  };
}

interface Need {
  /** Of the job as it was given. */
  readonly key: string;
  /** By its digest, so that what was planned is copied. */
  readonly job: CopyJob;
  readonly blobs: readonly ShardBlob[];
}

async function needOf(job: CopyJob, run: Omit<CopyRun, "platforms">): Promise<Need> {
  // All notes come when the image is copied.
  const quiet = { ...run, platforms: job.platforms, onProgress: () => undefined };
  try {
    return await readingAnswer(async () => {
      const prepared = await prepareImage(quiet, job.from, []);
      const { whole } = await gatherImage(prepared, run.referrers !== false, quiet);
      const { digest } = prepared.original.descriptor;
      return { key: keyOf(job), job: { ...job, from: { ...job.from, digest } }, blobs: whole.blobs };
    });
  } catch (error) {
    run.signal?.throwIfAborted();
    if (!isLasting(error)) throw error;
    return { key: keyOf(job), job, blobs: [] };
  }
}

/** Whether all shards see the same error: the one that has the image reports it. */
function isLasting(error: unknown): boolean {
  return error instanceof NotFoundError || error instanceof UsageError || isBadAnswer(error);
}

/** What a lock says of an image that is copied whole, or with the platforms that were chosen for the lock. */
function lockedNeeds({
  lock,
  referrers,
}: {
  readonly lock: Lock | undefined;
  readonly referrers?: boolean | undefined;
}): (job: CopyJob) => readonly ShardBlob[] | undefined {
  if (lock === undefined || (referrers !== false && !lock.referrers)) return () => undefined;
  const known = new Map(
    [...lockedBlobs(lock)].map(([name, need]) => {
      const { registry, repository, digest } = resolveDockerHub(parseReference(name));
      return [nameOf({ registry, repository }, digest), need] as const;
    }),
  );
  return ({ from, platforms }) => {
    const need = known.get(nameOf(from, from.digest));
    if (need === undefined || (platforms === "all" && need.isWhole)) return need?.blobs;
    const isChosen = platforms !== "all" && platforms.map(formatPlatform).sort().join() === need.platforms.join();
    return isChosen ? need.blobs : undefined;
  };
}

function nameOf(
  { registry, repository }: { readonly registry: string; readonly repository: string },
  digest: Digest | undefined,
): string {
  return `${formatReference({ registry, repository })}@${digest}`;
}

/** Which image goes where, under which name. */
function keyOf({ from, to, platforms }: CopyJob): string {
  return JSON.stringify([formatReference(from), to.registry, to.repository, to.tag, platforms]);
}

/** The same for all names of an image in one repository: to send it in two shards saves nothing. */
function imageOf(job: CopyJob): string {
  const { from, to, platforms } = job;
  if (from.digest === undefined) return keyOf(job);
  return JSON.stringify([nameOf(from, from.digest), to.registry, to.repository, platforms]);
}
