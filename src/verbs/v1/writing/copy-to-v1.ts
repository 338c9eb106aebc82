import { hasGlob } from "../../../bundle/list/reference-glob.ts";
import { UsageError } from "../../../errors.ts";
import { hasV1, isV1Reference } from "../../../oci/legacy/has-v1.ts";
import { isOneImage, parseV1Reference } from "../../../oci/legacy/v1-reference.ts";
import { mapImageName } from "../../../oci/names/image-mapping.ts";
import { collisionError, findCollisions } from "../../../oci/names/target-collisions.ts";
import { formatReference } from "../../../oci/reference.ts";
import { readingAnswer } from "../../../registry/client/registry-answer.ts";
import { quote } from "../../../util/format.ts";
import type { CopiedImage, CopyOptions, CopyResult, CopyToOptions } from "../../copy/copy-options.ts";
import { readMapping } from "../../options/mapping-options.ts";
import { registryOf } from "../../requested/expand-references.ts";
import type { RequestedImage, ResolvedImage } from "../../requested/requested-image.ts";
import { Attempts } from "../../shared/attempts.ts";
import { createBlobCounter } from "../../shared/blob-counts.ts";
import type { V1Found } from "../expand-v1.ts";
import { refuseSharedEndpoint, v1Hosts } from "../v1-stores.ts";
import { RegistryCopies } from "./registry-copies.ts";
import { V1Copies, v1TargetOf } from "./v1-copies.ts";
import type { V1CopyJob, V1CopySource } from "./v1-copy-job.ts";
import { parseV1Prefix, type V1Prefix, v1TargetBelow } from "./v1-prefix.ts";
import { V1PushRun } from "./v1-push-run.ts";
import { formatV1Target, parseV1Target, type V1Target } from "./v1-target.ts";

/**
 * `copy` into a v1 registry: an image of another registry, of an index the platform of this machine; or one of a v1 registry
 * or its folder, with the ids and the JSON that it has there.
 *
 * @throws as `copy`; ArchiveError for an image that v1 cannot hold.
 */
export async function copyToV1(source: string, target: string, options: CopyOptions): Promise<CopyResult> {
  const { tag, ...to } = parseV1Target("copy to", target);
  const isOne = isV1Reference(source) ? isOneImage(parseV1Reference(source)) : !hasGlob(source);
  if (!isOne) {
    throw new UsageError(`Cannot copy ${quote(source)} to one name: found more than one image, expected one`, {
      hint: "Name where all of them go with --to v1://HOST/NAMESPACE.",
    });
  }
  const run: Run = {
    requested: [{ reference: source }],
    named: [source],
    host: to.host,
    targetOfV1: found => ({ ...to, tag: tag ?? found.tag }),
    targetOf: ({ reference }) => ({ ...to, tag: tag ?? reference.tag ?? "latest" }),
  };
  return await copyAll(run, options);
}

/** `copyTo` below `v1://HOST[/NAMESPACE]`. @throws as `copyTo`; ArchiveError for one image that v1 cannot hold. */
export async function copyToV1Below(
  requested: readonly RequestedImage[],
  prefix: string,
  options: CopyToOptions,
): Promise<CopyResult> {
  const below = parseV1Prefix("copy", prefix);
  const run: Run = {
    requested,
    named: options.trustedReferences ?? requested.map(({ reference }) => reference),
    host: below.host,
    targetOfV1: found => v1TargetOf(found, below, options),
    targetOf: image => targetOf(image, below, options),
  };
  return await copyAll(run, options);
}

interface Run {
  readonly requested: readonly RequestedImage[];
  /** References in the arguments of the call. */
  readonly named: readonly string[];
  /** `host[:port]` of the target. */
  readonly host: string;
  readonly targetOfV1: (found: V1Found) => Required<V1Target>;
  readonly targetOf: (image: ResolvedImage) => Required<V1Target>;
}

function targetOf(
  { reference, name = reference, line }: ResolvedImage,
  below: V1Prefix,
  options: CopyToOptions,
): Required<V1Target> {
  const { tag } = name;
  if (tag === undefined) {
    throw new UsageError(`Cannot copy ${quote(line)} to ${quote(below.text)}: found no tag, expected one`, {
      hint: `The v1 protocol has no digests. Give it a tag: a line "${line} -> NAME:TAG" in a file for -f.`,
    });
  }
  const { repository } = mapImageName(name, { registry: below.host, prefix: "", ...readMapping(options) });
  return { ...v1TargetBelow(below, repository, formatReference(name)), tag };
}

async function copyAll(run: Run, options: CopyOptions): Promise<CopyResult> {
  refuseOptions(options);
  const started = performance.now();
  const { requested, named, host } = run;
  const { signal, dryRun = false } = options;
  const counter = createBlobCounter(options.onProgress ?? (() => undefined));
  const counted = { ...options, onProgress: counter.onProgress };
  const texts = requested.map(({ reference }) => reference);
  const isV1 = hasV1(requested);
  const hosts = (references: readonly string[]): readonly string[] => [
    ...(isV1 ? v1Hosts(references) : references.map(text => registryOf(text, options.registry))),
    host,
  ];
  refuseSharedEndpoint(isV1 ? hosts(texts) : [], options);
  const pushes = new V1PushRun(options, { named: hosts(named), reached: hosts(texts) }, counter.onProgress);
  await using source: V1CopySource = isV1
    ? new V1Copies(requested, named, run.targetOfV1, counted)
    : new RegistryCopies(requested, hosts(named), run.targetOf, counted);
  const { jobs, failed } = await source.list();
  await refuseCollisions(jobs);
  const images: CopiedImage[] = [];
  const attempts = new Attempts(jobs.length + failed.length, signal);
  for (const { source: name, error } of failed) await attempts.run(name, async () => await Promise.reject(error));
  for (const { source: given, line, to, copy } of jobs) {
    const { tag, ...target } = to;
    await attempts.run(line, async () => {
      const found = await readingAnswer(
        async () =>
          await copy(async image => {
            if (!dryRun) await pushes.push(target.host, target.repository, [{ ...image, tags: [tag] }]);
          }),
      );
      images.push({ source: given, reference: formatV1Target(to), plannedBytes: 0, ...found });
    });
  }
  const result: CopyResult = {
    images,
    blobs: counter.counts(),
    requests: (await source.requests()) + pushes.requests,
    bytesSent: pushes.bytesSent,
    seconds: (performance.now() - started) / 1000,
  };
  const done = dryRun ? "Nothing was copied; a run copies the others." : "The others are copied.";
  return attempts.settle("copy", "images", result, `${done} Fix the cause and run the same command again.`);
}

/** @throws UsageError for options that have no meaning for a v1 registry as the target. */
function refuseOptions({ report, verify, compression, requireReferrers = [] }: CopyOptions): void {
  const given = {
    "--report": report !== undefined,
    "--verify": verify === true,
    "--compression": compression !== undefined && compression !== "keep",
    "--require-referrers": requireReferrers.length > 0,
  };
  const [found] = Object.entries(given).flatMap(([name, isGiven]) => (isGiven ? [name] : []));
  if (found === undefined) return;
  throw new UsageError(`Cannot use ${found} with a v1 registry as the target: found both, expected one`);
}

/** @throws UsageError for two images that would get one name: before anything is sent. */
async function refuseCollisions(jobs: readonly V1CopyJob[]): Promise<void> {
  const landings = jobs.map(job => ({ name: job.line, image: job.identity, claims: [formatV1Target(job.to)] }));
  const found = await findCollisions(landings, async (first, second) => first === second);
  if (found.length > 0) throw collisionError("copy", found);
}
