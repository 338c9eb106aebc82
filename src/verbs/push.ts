import type { Readable } from "node:stream";
import { gzipProfile } from "../compress/gzip-profile.ts";
import type { CopyPlan, ImageSource, ImageTarget, Root } from "../content/contracts.ts";
import type { OnProgress } from "../content/progress.ts";
import { copyImages } from "../copy/copy-image.ts";
import { type DigestCache, openDigestCache } from "../copy/digest-cache.ts";
import { gather } from "../copy/gather.ts";
import { ArchiveError, ImgpackError, PartialError, UsageError } from "../errors.ts";
import type { Digest } from "../oci/digest.ts";
import { type ArchiveSource, openArchive } from "../store/archive-source.ts";
import { registryTarget } from "../store/registry-target.ts";
import { compressLayers } from "../transform/compress-layers.ts";
import { pruneSparse } from "../transform/prune-sparse.ts";
import { OnceReading } from "./once-reading.ts";
import { findPresent } from "./present-images.ts";
import { type Destination, destinations, type PushNameOptions, tagPlace } from "./push-names.ts";
import { Registries, type RegistryOptions } from "./registries.ts";
import { createTally, type Tally } from "./tally.ts";

export interface PushOptions extends RegistryOptions, PushNameOptions {
  /** Raw layers: "auto" and "gzip" compress them, "gzip:1" to "gzip:12" at that level, "keep" pushes them as they are. */
  readonly compression?: string | undefined;
  /** Blobs under way at once; 6 without it. */
  readonly concurrency?: number | undefined;
  /** Folder of the digest cache; without it, what is learnt lasts for this call. */
  readonly cacheFolder?: string | undefined;
  /**
   * Indexes that name more than the archive holds: "prune" (the default) leaves the absent entries out, "keep" pushes the
   * index as it is, "fail" refuses.
   */
  readonly sparse?: "prune" | "keep" | "fail" | undefined;
  /** Where the archive `-` is read from; the process's stdin without it. */
  readonly stdin?: Readable | undefined;
  /** Plans, and sends nothing. */
  readonly dryRun?: boolean | undefined;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PushedImage {
  /** `registry/repository:tag`. */
  readonly reference: string;
  /** Absent in a dry run where a layer is still to be compressed. */
  readonly digest?: Digest;
  /** The digest in the archive, where raw layers were compressed or absent platforms left out of an index. */
  readonly previousDigest?: Digest;
}

export interface PushResult extends Tally {
  readonly images: readonly PushedImage[];
  readonly requests: number;
  readonly bytesSent: number;
  readonly seconds: number;
}

const CONCURRENCY = 6;
const NOTHING_KNOWN: CopyPlan = { roots: [], pending: [], blobs: [], manifests: new Map(), totalBytes: 0 };

/**
 * Pushes every image of the archives: layers compressed and uploaded in parallel while they are read in place, each
 * blob once; manifests after their blobs, tags last. An archive that fails does not stop the next one.
 *
 * @throws ImgpackError; PartialError when only some of several archives failed.
 */
export async function push(archives: readonly string[], options: PushOptions = {}): Promise<PushResult> {
  const started = performance.now();
  const onProgress = options.onProgress ?? (() => undefined);
  const tally = createTally(onProgress);
  const cache = await openDigestCache(options.cacheFolder);
  await using registries = new Registries(options, tally.onProgress);
  const level = gzipLevel(options.compression);
  const run: PushRun = { options: { ...options, onProgress: tally.onProgress }, registries, cache, level };
  const images: PushedImage[] = [];
  const failures: ImgpackError[] = [];
  for (const archive of archives) {
    try {
      images.push(...(await pushArchive(archive, run)));
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof ImgpackError) || archives.length === 1) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0) {
    throw new PartialError(
      `Cannot push ${failures.length} of ${archives.length} archives: ${failures.map(({ message }) => message).join("; ")}`,
      failures,
      { hint: "What the others hold is pushed; mend the cause, then push the failed ones again." },
    );
  }
  const traffic = await registries.traffic();
  return { images, ...traffic, ...tally.counts(), seconds: (performance.now() - started) / 1000 };
}

interface PushRun {
  readonly options: PushOptions & { readonly onProgress: OnProgress };
  readonly registries: Registries;
  readonly cache: DigestCache;
  readonly level: number | "keep" | undefined;
}

interface OpenedArchive {
  readonly archive: ArchiveSource;
  readonly source: ImageSource;
  readonly reading: OnceReading;
  /** Where its layers went while it was read. */
  readonly sentTo: string | undefined;
}

async function pushArchive(path: string, run: PushRun): Promise<readonly PushedImage[]> {
  const { options, cache, level } = run;
  const { signal, onProgress, stdin } = options;
  const onNote = (message: string): void => onProgress({ kind: "note", message });
  const [tag] = options.tags ?? [];
  const place = tag === undefined ? undefined : tagPlace(tag, options);
  const beginUpload =
    place === undefined ? undefined : async () => await (await targetOf(run, place)).begin(NOTHING_KNOWN, signal);
  const isDryRun = options.dryRun === true;
  await using reading = new OnceReading({ beginUpload, level, cache, isDryRun, onProgress });
  await using archive = await openArchive(path, { onNote, signal, stdin, scan: reading.scan });
  const source = reading.sourceOf(archive);
  const places = destinations(archive.images, options, archive.archive.what);
  const images: PushedImage[] = [];
  const sentTo = place === undefined ? undefined : `${place.registry}/${place.repository}`;
  for (const each of places) images.push(...(await pushToRepository({ archive, source, reading, sentTo }, each, run)));
  return images;
}

async function targetOf(
  { options, registries, cache }: PushRun,
  { registry, repository }: Pick<Destination, "registry" | "repository">,
): Promise<ImageTarget> {
  return registryTarget(await registries.clientFor(registry, options.signal), repository, {
    find: (digest, repository) => cache.findHolder(registry, digest, repository),
    add: async (digest, repository) => await cache.addHolder(registry, digest, repository),
  });
}

async function pushToRepository(
  { archive, source, reading, sentTo }: OpenedArchive,
  { registry, repository, roots }: Destination,
  run: PushRun,
): Promise<readonly PushedImage[]> {
  const { registries, cache, level } = run;
  const { signal, onProgress, concurrency = CONCURRENCY, dryRun, sparse = "prune" } = run.options;
  const chosen: ImageSource = {
    ...source,
    async *roots() {
      yield* roots;
    },
  };
  const whole =
    sparse === "keep"
      ? chosen
      : pruneSparse(chosen, message => {
          if (sparse === "fail") throw sparseIndex(`${registry}/${repository}:${message}`);
          onProgress({ kind: "note", message: `${registry}/${repository}:${message}` });
        });
  const isSent = sentTo === undefined || sentTo === `${registry}/${repository}`;
  const compressed =
    level === "keep" ? whole : compressLayers(whole, gzipProfile(level), isSent ? reading.seals : undefined);
  const ready: Root[] = [];
  for await (const root of compressed.roots(signal)) ready.push(root);
  const onAbsent = sparse === "keep" ? () => undefined : undefined;
  if (dryRun) return planned(await gather(compressed, ready, signal, undefined, onAbsent), registry, repository);
  const client = await registries.clientFor(registry, signal);
  const place = { client, repository, signal };
  // A level that was asked for is applied where the image is already, too.
  const { present, absent } =
    level === undefined ? await findPresent(place, ready, cache) : { present: [], absent: [...ready.entries()] };
  const images: PushedImage[] = present.map(({ tag, descriptor }) => ({
    reference: `${registry}/${repository}:${tag}`,
    digest: descriptor.digest,
  }));
  for (const { reference } of images) {
    onProgress({ kind: "note", message: `${reference} is this image already: nothing to push` });
  }
  if (absent.length === 0) return images;
  const missing = absent.map(([, root]) => root);
  const gathered = await gather(compressed, missing, signal, undefined, onAbsent);
  const plan = sentTo === `${registry}/${repository}` ? withoutBlobs(gathered, reading.sent) : gathered;
  const target = await targetOf(run, { registry, repository });
  const sourceName = archive.archive.what;
  const settled = await copyImages({
    plan,
    source: compressed,
    target,
    sourceName,
    cache,
    concurrency,
    onProgress,
    signal,
  });
  for (const [index, { names, descriptor }] of settled.entries()) {
    const original = roots[absent[index]?.[0] ?? -1];
    const isChanged = original?.kind === "settled" && original.descriptor.digest !== descriptor.digest;
    for (const tag of names) {
      images.push({
        reference: `${registry}/${repository}:${tag}`,
        digest: descriptor.digest,
        ...(isChanged ? { previousDigest: original.descriptor.digest } : {}),
      });
    }
  }
  return images;
}

/** What is in the repository already needs no question. */
function withoutBlobs(plan: CopyPlan, sent: ReadonlySet<Digest>): CopyPlan {
  const blobs = plan.blobs.filter(({ digest }) => !sent.has(digest));
  const left = (sum: number, { size }: { readonly size: number }): number => sum + size;
  return { ...plan, blobs, totalBytes: plan.totalBytes - plan.blobs.reduce(left, 0) + blobs.reduce(left, 0) };
}

function sparseIndex(message: string): ArchiveError {
  return new ArchiveError("sparse-index", `Cannot push ${message}, expected all of them`, {
    hint: "Pull every platform and save the image again, or push what is there with --sparse prune.",
  });
}

function planned(plan: CopyPlan, registry: string, repository: string): readonly PushedImage[] {
  return plan.roots.flatMap(root =>
    root.names.map(tag => ({
      reference: `${registry}/${repository}:${tag}`,
      ...(root.kind === "settled" ? { digest: root.descriptor.digest } : {}),
    })),
  );
}

/** @throws UsageError for anything but auto, keep, gzip and gzip:1 to gzip:12. */
function gzipLevel(compression = "auto"): number | "keep" | undefined {
  if (compression === "keep") return "keep";
  if (compression === "auto" || compression === "gzip") return undefined;
  const level = /^gzip:([1-9]|1[0-2])$/.exec(compression)?.[1];
  if (level !== undefined) return Number(level);
  throw new UsageError(`Cannot compress with ${compression}: unknown, expected auto, keep, gzip or gzip:1 to gzip:12`);
}
