import { noteTo } from "../../../content/progress.ts";
import { openDigestCache } from "../../../copy/digest-cache.ts";
import { openLayerFacts } from "../../../copy/layer-facts.ts";
import { ImgpackError } from "../../../errors.ts";
import { readingAnswer } from "../../../registry/client/registry-answer.ts";
import { DEFAULT_CONCURRENCY } from "../../../util/options/option-limits.ts";
import { runBounded } from "../../../util/task-group.ts";
import type { CopiedImage, CopyOptions, CopyResult } from "../../copy/copy-options.ts";
import type { ReportFile } from "../../files/report-file.ts";
import { withoutV1Options } from "../../options/refuse-v1-options.ts";
import { Attempts, neededBy } from "../../shared/attempts.ts";
import { createBlobCounter } from "../../shared/blob-counts.ts";
import { chosenProfile } from "../../shared/chosen-profile.ts";
import { RegistryPool } from "../../shared/registry-pool.ts";
import { factsByCheck } from "../reading/facts-by-check.ts";
import { RescueLedger } from "../report/rescue-ledger.ts";
import type { ReportedImage, RescueReport } from "../report/rescue-report.ts";
import { withReport } from "../report/with-report.ts";
import { KnownLayers } from "./known-layers.ts";
import { LayerMeter } from "./layer-meter.ts";
import { Limiter } from "./limiter.ts";
import { type RescuedImage, rescueImage } from "./rescue-image.ts";
import type { RescueJob } from "./rescue-job.ts";
import type { RescueRun } from "./rescue-run.ts";
import { TargetRepositories } from "./target-repositories.ts";

/** What a rescue is to copy. */
export interface RescuePlan {
  /** Registries in the arguments of the call: they get its credentials. */
  readonly named: readonly string[];
  /** All registries that it reaches. */
  readonly reached: readonly string[];
  /** Requests so far, to the old registries. */
  readonly requests: () => Promise<number>;
  readonly list: (registries: RegistryPool) => Promise<RescueList>;
}

export interface RescueList {
  readonly jobs: readonly RescueJob[];
  readonly repositories: number;
  readonly repositoriesWithoutTags: number;
  /** Names with wildcards that could not be replaced. */
  readonly failed: readonly { readonly source: string; readonly error: ImgpackError }[];
}

/**
 * Copies images out of v1 registries. An image that fails does not stop the others, and each has a row in the report, which
 * is written however the run ends.
 *
 * @throws PartialError if some of several images failed, or the report could not be written; what an image alone throws.
 */
export async function rescue(
  plan: RescuePlan,
  options: CopyOptions,
  file: ReportFile<RescueReport> | undefined,
): Promise<CopyResult> {
  const ledger = new RescueLedger({ dryRun: options.dryRun === true, verifies: options.verify === true });
  return await withReport(file, ledger, noteTo(options.onProgress), async () => await rescueAll(plan, options, ledger));
}

async function rescueAll(plan: RescuePlan, options: CopyOptions, ledger: RescueLedger): Promise<CopyResult> {
  const started = performance.now();
  const { signal, cacheDir, concurrency = DEFAULT_CONCURRENCY } = options;
  const blobCounter = createBlobCounter(options.onProgress ?? (() => undefined));
  const { onProgress } = blobCounter;
  const { profile } = chosenProfile(options.compression ?? "keep");
  const targetOptions = { ...options, registry: withoutV1Options(options.registry) };
  await using registries = new RegistryPool(targetOptions, plan.named, onProgress, cacheDir);
  registries.admit(plan.reached);
  const cache = await openDigestCache(cacheDir, noteTo(onProgress));
  const facts = factsByCheck(await openLayerFacts(cacheDir), options.v1Checksums === false);
  const known = new KnownLayers(facts, cache, profile);
  const { jobs, repositories, repositoriesWithoutTags, failed } = await plan.list(registries);
  const sources = jobs.map(({ source }) => source);
  ledger.list(sources, repositories, repositoriesWithoutTags);
  for (const { source, error } of failed) ledger.refuse(source, error);
  const attempts = new Attempts(jobs.length + failed.length, signal);
  for (const { source, error } of failed) await attempts.run(source, async () => await Promise.reject(error));
  await using gate = new Limiter(concurrency, signal);
  const run: RescueRun = {
    targets: new TargetRepositories(registries, cache, gate),
    meter: new LayerMeter(gate, onProgress, async (key, found) => await known.add(key, found)),
    ledger,
    known,
    cache,
    noChecksums: options.v1Checksums === false,
    concurrency,
    dryRun: options.dryRun === true,
    verifies: options.verify === true,
    onProgress,
  };
  const images: RescuedImage[] = [];
  await runBounded(
    jobs.entries(),
    concurrency,
    async ([index, job], own) => {
      await attempts.run(job.line, async () => {
        try {
          const image = await readingAnswer(async () => await rescueImage(run, job, own));
          ledger.done(index, reported(image));
          images[index] = image;
        } catch (error) {
          own.throwIfAborted();
          ledger.fail(index, error);
          if (jobs.length === 1 && error instanceof ImgpackError && error.origin !== "target")
            error.message = neededBy(error.message, [job.source]);
          throw error;
        }
      });
    },
    signal,
  );
  if (!run.dryRun) noteThere(images, noteTo(onProgress));
  const { requests, bytesSent } = await registries.traffic();
  const result: CopyResult = {
    images: images.flatMap(copied),
    blobs: blobCounter.counts(),
    requests: requests + (await plan.requests()),
    bytesSent,
    seconds: (performance.now() - started) / 1000,
    rescue: ledger.report(),
  };
  return attempts.settle("copy", "images", result, partialHint(options), ", see --report");
}

/** One note for all: a second run finds hundreds. */
function noteThere(images: readonly RescuedImage[], onNote: (text: string) => void): void {
  const there = images.filter(({ plannedBytes }) => plannedBytes === 0);
  const [first] = there;
  if (first === undefined) return;
  const what = there.length === 1 ? `${first.target} is this image` : `${there.length} tags are these images`;
  onNote(`${what} already: nothing to copy`);
}

function partialHint({ dryRun, report }: CopyOptions): string {
  const done = dryRun === true ? "Nothing was copied; a run copies the others." : "The others are copied.";
  const next = "Fix the cause and run the same command again";
  return report === undefined ? `${done} ${next}; --report FILE says what to do about each.` : `${done} ${next}.`;
}

function reported({ source, id, target, digest, config, bytes }: RescuedImage): ReportedImage {
  return { source, id, target, digest, config, bytes };
}

/** Nothing for an image of a dry run whose digest no run knows yet. */
function copied({ source, target, digest, mediaType, plannedBytes }: RescuedImage): readonly CopiedImage[] {
  return digest === undefined || mediaType === undefined
    ? []
    : [{ source, reference: target, digest, mediaType, plannedBytes }];
}
