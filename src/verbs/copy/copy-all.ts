import type { Lock } from "../../bundle/lock/lock.ts";
import { parseShard } from "../../bundle/shards/shard.ts";
import { endingImage, failedImage, noteTo } from "../../content/progress.ts";
import { runImages } from "../../copy/claims/run-images.ts";
import { openDigestCache } from "../../copy/digest-cache.ts";
import { imagesToPlan, planning } from "../../copy/events/planning.ts";
import { ImgpackError } from "../../errors.ts";
import { readingAnswer } from "../../registry/client/registry-answer.ts";
import { checkRequireOptions } from "../referrers/require-referrers.ts";
import { Undelivered } from "../referrers/undelivered.ts";
import { Attempts } from "../shared/attempts.ts";
import { createBlobCounter } from "../shared/blob-counts.ts";
import { RegistryPool } from "../shared/registry-pool.ts";
import { repositoryName } from "../shared/remote-image.ts";
import { type CopyRun, copyBetween } from "./copy-between.ts";
import { type CopyJob, type FailedGlob, separateJobs } from "./copy-jobs.ts";
import type { CopiedImage, CopyOptions, CopyResult } from "./copy-options.ts";
import { shardOfJobs } from "./shard-of-jobs.ts";

export interface CopyPlan {
  /** Registries that get the credentials of the call. */
  readonly named: readonly string[];
  readonly reached: readonly string[];
  readonly jobs: (registries: RegistryPool) => Promise<readonly CopyJob[]>;
  /** As far as they are known when there are jobs. */
  readonly failed: readonly FailedGlob[];
  /** That the images are from. */
  readonly lock?: Lock | undefined;
}

/** Copies all images of a call, or those of its shard, several at once. */
export async function copyAll(
  { named, reached, jobs: jobsOf, failed, lock }: CopyPlan,
  options: CopyOptions,
): Promise<CopyResult> {
  const started = performance.now();
  checkRequireOptions("copy", options);
  const blobCounter = createBlobCounter(options.onProgress ?? (() => undefined));
  await using registries = new RegistryPool(options, named, blobCounter.onProgress, options.cacheDir);
  registries.admit(reached);
  const { signal, dryRun, referrers, verify, requireReferrers } = options;
  const { onProgress } = blobCounter;
  const cache = await openDigestCache(options.cacheDir, noteTo(onProgress));
  const run = { registries, cache, dryRun, referrers, verify, requireReferrers, signal, onProgress };
  const all = await separateJobs(await jobsOf(registries), registries, signal);
  const shard =
    options.shard === undefined
      ? undefined
      : await shardOfJobs(all, failed, parseShard(options.shard), { ...run, lock });
  const { jobs, failed: reported } = shard ?? { jobs: all, failed };
  const total = jobs.length + reported.length;
  // What a shard does not have did not fail.
  const isPart = shard !== undefined;
  const attempts = new Attempts(total, signal, isPart);
  const undelivered = new Undelivered();
  if (reported.length > 0) onProgress({ kind: "planned", images: reported.length, blobs: 0, bytes: 0 });
  onProgress(imagesToPlan(jobs.length));
  for (const { source, error } of reported) onProgress(failedImage(source, error));
  for (const { source, error } of reported) await attempts.run(source, async () => await Promise.reject(error));
  const outcomes: (CopiedImage | ImgpackError | undefined)[] = jobs.map(() => undefined);
  await runImages(jobs.entries(), { atMost: options.concurrency, signal }, async ([index, job], place, stop) => {
    const { source, platforms } = job;
    const onUndelivered = (repository: string) => undelivered.collect(source, repository);
    const own = { ...run, platforms, place, onUndelivered, signal: stop };
    const copying = async (): Promise<CopiedImage> =>
      await planning(onProgress, 1, async listener => await copyJob(job, { ...own, onProgress: listener }));
    outcomes[index] = await outcomeOf(
      async () => await endingImage(onProgress, source, copying),
      isPart || total > 1,
      stop,
    );
  });
  const images: CopiedImage[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    await attempts.run(jobs[index]?.source ?? "", async () => {
      if (outcome instanceof ImgpackError) throw outcome;
      if (outcome !== undefined) images.push(outcome);
    });
  }
  const traffic = await registries.traffic();
  const seconds = (performance.now() - started) / 1000;
  const summary = shard === undefined ? {} : { shard: shard.summary };
  const result: CopyResult = { images, ...traffic, blobs: blobCounter.counts(), seconds, ...summary };
  const done = dryRun === true ? "Nothing was copied; a run copies the others." : "The others are copied.";
  const hint = `${done} Fix the cause and run the same command again.`;
  return undelivered.settle("copy", () => attempts.settle("copy", "images", result, hint));
}

async function copyJob({ source, from, to }: CopyJob, run: CopyRun): Promise<CopiedImage> {
  const tags = to.tag === undefined ? [] : [to.tag];
  const copied = await readingAnswer(async () => await copyBetween(run, from, to, tags));
  return { source, reference: [repositoryName(to), ...tags].join(":"), ...copied };
}

/** @returns the error of one of several images: the others are copied nevertheless. @throws any other error. */
async function outcomeOf<T>(
  task: () => Promise<T>,
  isOneOfSeveral: boolean,
  signal: AbortSignal,
): Promise<T | ImgpackError> {
  try {
    return await task();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ImgpackError && isOneOfSeveral) return error;
    throw error;
  }
}
