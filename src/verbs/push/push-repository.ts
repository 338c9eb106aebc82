import type { ArchiveSource } from "../../archive/open-archive.ts";
import { gzipProfile } from "../../compress/gzip/gzip-profile.ts";
import type { CopyPlan, ImageSource, Root, SettledRoot } from "../../content/contracts.ts";
import type { OnProgress } from "../../content/progress.ts";
import { type CopyOptions, copyImages } from "../../copy/copy-image.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import { gather } from "../../copy/gather.ts";
import { ArchiveError, RegistryError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { DOCKER_MANIFEST, OCI_MANIFEST } from "../../oci/media-types.ts";
import { compressLayers } from "../../transform/compress-layers.ts";
import { pruneSparse } from "../../transform/prune-sparse.ts";
import { findPresent } from "../shared/already-pushed.ts";
import type { Destination } from "../shared/destinations.ts";
import type { RegistryPool } from "../shared/registry-pool.ts";
import type { SequentialInput } from "../shared/sequential-input.ts";
import type { PushedImage, PushOptions } from "./push-options.ts";

const CONCURRENCY = 6;

export interface PushRun {
  readonly options: PushOptions & { readonly onProgress: OnProgress };
  readonly registries: RegistryPool;
  readonly cache: DigestCache;
  readonly level: number | "keep" | undefined;
}

export interface OpenedArchive {
  readonly archive: ArchiveSource;
  readonly source: ImageSource;
  readonly reading: SequentialInput;
  /** Where its layers went while it was read. */
  readonly sentTo: string | undefined;
}

export async function pushToRepository(
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
  const remote = await registries.repositoryFor({ registry, repository }, signal, "pull,push");
  // A level that was asked for is applied where the image is already, too.
  const { present, absent } =
    level === undefined
      ? await findPresent(remote, ready, cache, signal)
      : { present: [], absent: [...ready.entries()] };
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
  const target = await registries.targetFor({ registry, repository }, cache, signal);
  const sourceName = archive.archive.what;
  const copy = { plan, source: compressed, target, sourceName, cache, concurrency, onProgress, signal };
  const settled = await copyOrConvert(copy, `${registry}/${repository}`);
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

/**
 * Copies; images of docker archives get OCI manifests where the registry takes no others (zot unless told otherwise). Only
 * those that are built here: all others stay the bytes that they are.
 */
async function copyOrConvert(copy: CopyOptions, where: string): Promise<readonly SettledRoot[]> {
  try {
    return await copyImages(copy);
  } catch (error) {
    const isRefused =
      error instanceof RegistryError && (error.status === 415 || error.codes.includes("MANIFEST_INVALID"));
    const isDocker = (root: Root): boolean => root.kind === "draft" && root.draft.mediaType === DOCKER_MANIFEST;
    if (!isRefused || !copy.plan.roots.some(isDocker)) throw error;
    copy.onProgress({ kind: "note", message: `${where} takes no Docker manifests: pushing OCI manifests instead` });
    const roots = copy.plan.roots.map(root =>
      root.kind === "draft" && isDocker(root) ? { ...root, draft: { ...root.draft, mediaType: OCI_MANIFEST } } : root,
    );
    return await copyImages({ ...copy, plan: { ...copy.plan, roots } });
  }
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
