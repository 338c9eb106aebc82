import { noteTo } from "../../../content/progress.ts";
import { ImgpackError, UsageError } from "../../../errors.ts";
import { isOneImage, parseV1Reference } from "../../../oci/legacy/v1-reference.ts";
import { type ImageMapping, mapImageName } from "../../../oci/names/image-mapping.ts";
import { claimsOf, collisionError, findCollisions } from "../../../oci/names/target-collisions.ts";
import { parseReference } from "../../../oci/reference.ts";
import { quote } from "../../../util/format.ts";
import type { CopyOptions, CopyResult, CopyToOptions } from "../../copy/copy-options.ts";
import { readMapping } from "../../options/mapping-options.ts";
import { parsePrefix } from "../../options/prefix.ts";
import { formatRequested, type RequestedImage } from "../../requested/requested-image.ts";
import { writableReference } from "../../shared/remote-image.ts";
import { type ExpandedV1, expandV1, type V1Found } from "../expand-v1.ts";
import { nameV1Images } from "../name-v1-images.ts";
import { refusePlatform } from "../refuse-platform.ts";
import { rescueReportFile } from "../report/rescue-report-file.ts";
import { V1Stores, v1Folders, v1Hosts } from "../v1-stores.ts";
import { type RescueList, rescue } from "./rescue.ts";
import type { RescueJob } from "./rescue-job.ts";

/**
 * As `copy`, of one image of a v1 registry.
 *
 * @throws UsageError for wildcards, a target without a registry or with a digest, and options that v1 contradicts.
 */
export async function copyV1(source: string, target: string, options: CopyOptions): Promise<CopyResult> {
  const one = parseV1Reference(source);
  if (!isOneImage(one)) {
    throw new UsageError(`Cannot copy ${quote(source)} to one name: found more than one image, expected one`, {
      hint: "Name where all of them go with --to HOST/PREFIX.",
    });
  }
  const { registry, repository, digest } = writableReference("copy to", target, options.registry);
  if (digest !== undefined) {
    throw new UsageError(`Cannot copy to ${target}: found a digest, expected a tag or none`, {
      hint: "The image gets its digest when it is copied; it needs no naming.",
    });
  }
  const to = { registry, repository, tag: parseReference(target).tag ?? one.tag ?? "latest" };
  const jobsOf = async ({ images }: ExpandedV1): Promise<Jobs> => ({
    jobs: images.map(image => jobOf(image, to)),
    failed: [],
  });
  return await copyAll({ requested: [{ reference: source }], named: [source], registry, jobsOf }, options);
}

/** As `copyTo`, of images of v1 registries. @throws UsageError as `copyTo`, and for options that v1 contradicts. */
export async function copyV1To(
  requested: readonly RequestedImage[],
  prefix: string,
  options: CopyToOptions,
): Promise<CopyResult> {
  const { registry, repository } = parsePrefix("copy to", prefix);
  const mapping = { registry, prefix: repository, ...readMapping(options) };
  const named = options.trustedReferences ?? requested.map(({ reference }) => reference);
  const jobsOf = async (found: ExpandedV1): Promise<Jobs> => {
    const { names, failed: unnamed } = nameV1Images(found, noteTo(options.onProgress));
    const [jobs, failed] = [new Map<V1Found, RescueJob>(), [...unnamed]];
    for (const [one, name] of names) {
      try {
        const target = mapImageName(parseReference(name), mapping);
        jobs.set(one, jobOf(one, { ...target, tag: target.tag ?? one.tag }));
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        failed.push({ source: one.source, error });
      }
    }
    await refuseCollisions(new Map([...names].filter(([one]) => jobs.has(one))), mapping, options.signal);
    return { jobs: [...jobs.values()], failed };
  };
  return await copyAll({ requested, named, registry, jobsOf }, options);
}

interface Work {
  readonly requested: readonly RequestedImage[];
  /** In the arguments of the call. */
  readonly named: readonly string[];
  /** That all images go to. */
  readonly registry: string;
  readonly jobsOf: (found: ExpandedV1) => Promise<Jobs>;
}

/** What is copied, and what cannot be. */
type Jobs = Pick<RescueList, "jobs" | "failed">;

async function copyAll({ requested, named, registry, jobsOf }: Work, options: CopyOptions): Promise<CopyResult> {
  refuseOptions(options);
  const texts = requested.map(({ reference }) => reference);
  const file = options.report === undefined ? undefined : await rescueReportFile(options.report, v1Folders(texts));
  const { signal } = options;
  const onNote = noteTo(options.onProgress);
  await using stores = new V1Stores(options, named);
  stores.admit(texts);
  const list = async (): Promise<RescueList> => {
    const found = await expandV1(requested, { stores, keepGoing: true, onNote, signal });
    const { jobs, failed } = await jobsOf(found);
    return { ...found, jobs, failed: [...found.failed, ...failed] };
  };
  const hosts = [...v1Hosts(named), registry];
  const reached = [...v1Hosts(texts), registry];
  return await rescue({ named: hosts, reached, requests: async () => await stores.requests(), list }, options, file);
}

function jobOf({ source, name, tag, session }: V1Found, to: RescueJob["to"]): RescueJob {
  const line = formatRequested({ reference: source, ...(name === undefined ? {} : { name }) });
  return { source, line, tag, session, to };
}

/** @throws UsageError for two images that would get one name: before anything is sent. */
async function refuseCollisions(
  names: ReadonlyMap<V1Found, string>,
  mapping: ImageMapping,
  signal: AbortSignal | undefined,
): Promise<void> {
  const landings = [...names].map(([image, name]) => ({
    name: image.source,
    image,
    claims: claimsOf(parseReference(name), mapping),
  }));
  const found = await findCollisions(landings, async (first, second) => {
    const [left, right] = [await idOf(first, signal), await idOf(second, signal)];
    return left === undefined || right === undefined || left === right;
  });
  if (found.length > 0) throw collisionError("copy", found);
}

/** Undefined for a tag that cannot be read: that is its own row in the report. */
async function idOf({ session, tag }: V1Found, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    return await (await session(signal)).tag(tag, signal);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ImgpackError) return undefined;
    throw error;
  }
}

/** @throws UsageError for options that images of v1 contradict. */
function refuseOptions({ platform, requireReferrers }: CopyOptions): void {
  refusePlatform(platform);
  if (requireReferrers !== undefined && requireReferrers.length > 0) {
    throw new UsageError("Cannot use --require-referrers: a v1 registry has no signatures, expected none required");
  }
}
