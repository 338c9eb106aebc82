import type { ImageArchive } from "../../archive/archive-source.ts";
import type { CopyPlan, ImageSource, Root, SettledRoot } from "../../content/contracts.ts";
import { derivedSource, listRoots, rootsOf } from "../../content/derived-source.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { addReferrers, referrersLeftOut } from "../../copy/add-referrers.ts";
import type { Place } from "../../copy/claims/run-images.ts";
import { copyOrConvert } from "../../copy/copy-or-convert.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import { gather } from "../../copy/gather.ts";
import { planNotes } from "../../copy/plan-notes.ts";
import type { UsedEngine } from "../../engine/engine.ts";
import { ArchiveError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { compressLayers } from "../../transform/compress-layers.ts";
import { pruneSparse } from "../../transform/prune-sparse.ts";
import { referrersSummary } from "../referrers/referrers-summary.ts";
import { withoutSilentPrune } from "../referrers/silent-prune.ts";
import type { Undelivered } from "../referrers/undelivered.ts";
import { type AlreadyPushed, findAlreadyPushed } from "../shared/already-pushed.ts";
import { idOf, namesInArchive } from "../shared/choose-image.ts";
import type { ChosenProfile } from "../shared/chosen-profile.ts";
import type { Destination } from "../shared/destinations.ts";
import type { PushNames } from "../shared/push-names.ts";
import type { RegistryPool } from "../shared/registry-pool.ts";
import type { StreamedInput } from "../shared/streamed-input.ts";
import { imageAt, nameOf } from "./destination-names.ts";
import type { HeldBlobs } from "./held-blobs.ts";
import type { PushedImage, PushOptions } from "./push-options.ts";
import { explainSparse } from "./refused-image.ts";

export interface PushRun {
  /** That the repository has among those of the archive. */
  readonly place?: Place | undefined;
  readonly options: PushOptions & { readonly onProgress: OnProgress };
  readonly names: PushNames;
  readonly registries: RegistryPool;
  readonly cache: DigestCache;
  readonly compression: ChosenProfile;
  readonly undelivered: Undelivered;
  readonly held: HeldBlobs;
  /** Engines that images come from, by their address. */
  readonly engines: Map<string, UsedEngine>;
  /** Refuses an archive without a signature that was asked for. */
  readonly requireSigned: ((archive: ImageArchive) => Promise<void>) | undefined;
  /** Whether damaged archives are read, because there is a patch. */
  readonly isTolerant: boolean;
}

export interface OpenedArchive {
  /** The first of its files, as the user named it. */
  readonly path: string;
  readonly archive: ImageArchive;
  readonly source: ImageSource;
  /** Of a single file. */
  readonly reading: StreamedInput | undefined;
  /** `registry/repository` that got its layers while it was read. */
  readonly sentTo: string | undefined;
}

/** Pushes the images of one destination. @returns one result per tag, and one for an image without a tag. */
export async function pushToRepository(
  opened: OpenedArchive,
  destination: Destination,
  run: PushRun,
): Promise<readonly PushedImage[]> {
  const source = preparedSource(opened, destination, run);
  const roots = await listRoots(source, run.options.signal);
  if (run.options.dryRun) {
    const plan = await planPush(source, roots, destination.roots, run);
    for (const message of planNotes(plan, opened.archive.what)) note(run, message);
    run.options.onProgress(run.registries.claimsAt(destination).planned.plan(plan));
    return plannedImages(plan, nameOf(destination));
  }
  const { present, absent } = await splitPresent(destination, roots, run);
  const found = present.map(({ tag, descriptor }): PushedImage => {
    const reference = `${nameOf(destination)}:${tag}`;
    const message = `${reference} is this image already: nothing to push, and the archive's copy of its layers was not checked`;
    run.options.onProgress({ kind: "note", message, isDetail: true });
    return { reference, digest: descriptor.digest };
  });
  if (absent.length === 0) return found;
  const missing = absent.map(([, root]) => root);
  const originals = absent.flatMap(([index]) => destination.roots[index] ?? []);
  const plan = await planPush(source, missing, originals, run);
  const settled = await copyMissing(source, plan, opened, destination, run);
  return [...found, ...pushedImages(settled, originals, plan, nameOf(destination))];
}

/** The images of a destination, without entries of an index that the archive lacks, and with raw layers compressed. */
function preparedSource(opened: OpenedArchive, destination: Destination, run: PushRun): ImageSource {
  const { archive, reading, sentTo } = opened;
  const source = run.held.addTo(opened.source, digest => archive.hasBlob(digest), destination.registry);
  const { sparse = "prune" } = run.options;
  const chosen = derivedSource(source, { roots: rootsOf(destination.roots) });
  const onSparse = (message: string): void => {
    if (sparse === "fail") throw sparseIndex(imageAt(destination, message));
    note(run, imageAt(destination, message));
  };
  const pruned =
    sparse === "keep"
      ? chosen
      : withoutSilentPrune(pruneSparse(chosen, onSparse), {
          ...run.options,
          verb: "push",
          source,
          originals: destination.roots,
          namesOf: original => namesInArchive(archive.images, original),
          labelOf: root => imageAt(destination, root.names.join(", ") || idOf(root)),
        });
  const { profile } = run.compression;
  if (profile === undefined || destination.isPinned) return pruned;
  const hasLayers = sentTo === undefined || sentTo === nameOf(destination);
  return compressLayers(pruned, profile, hasLayers ? reading?.seals : undefined);
}

/** @param originals the same images as the archive has them. */
async function planPush(
  source: ImageSource,
  roots: readonly Root[],
  originals: readonly Root[],
  { options: { sparse, referrers, signal, onProgress } }: PushRun,
): Promise<CopyPlan> {
  const onAbsent = sparse === "keep" ? () => undefined : undefined;
  const plan = await gather(source, roots, signal, undefined, onAbsent);
  return referrers === false
    ? plan
    : await addReferrers(source, plan, { originals, onNote: noteTo(onProgress), onProgress, signal });
}

/** Which images the registry has already. A compression that the user chose is applied to all of them. */
async function splitPresent(
  destination: Destination,
  roots: readonly Root[],
  { registries, cache, compression, options: { signal } }: PushRun,
): Promise<AlreadyPushed> {
  const repository = await registries.repositoryFor(destination, signal, "pull,push");
  if (compression.isChosen || destination.isPinned) return { present: [], absent: [...roots.entries()] };
  return await findAlreadyPushed(repository, roots, cache, signal);
}

async function copyMissing(
  source: ImageSource,
  gathered: CopyPlan,
  { path, archive, reading, sentTo }: OpenedArchive,
  destination: Destination,
  run: PushRun,
): Promise<readonly SettledRoot[]> {
  const { registries, cache, place } = run;
  const { signal, onProgress } = run.options;
  for (const message of referrersLeftOut(gathered.roots)) note(run, imageAt(destination, message));
  const plan =
    sentTo === nameOf(destination) && reading !== undefined ? withoutBlobs(gathered, reading.sent) : gathered;
  const onUndelivered = run.undelivered.collect(path, nameOf(destination));
  const target = await registries.targetFor(destination, cache, signal, { onUndelivered });
  const sourceName = archive.what;
  const claims = registries.claimsAt(destination);
  const copy = { plan, source, target, sourceName, cache, pace: registries.pace, claims, place, onProgress, signal };
  try {
    return await copyOrConvert(copy, nameOf(destination));
  } catch (error) {
    throw explainSparse(error, gathered, destination);
  }
}

function note({ options }: PushRun, message: string): void {
  options.onProgress({ kind: "note", message });
}

/** The plan without blobs that are in the repository already. */
function withoutBlobs(plan: CopyPlan, sent: ReadonlySet<Digest>): CopyPlan {
  const blobs = plan.blobs.filter(({ digest }) => !sent.has(digest));
  const left = (sum: number, { size }: { readonly size: number }): number => sum + size;
  return { ...plan, blobs, totalBytes: plan.totalBytes - plan.blobs.reduce(left, 0) + blobs.reduce(left, 0) };
}

function sparseIndex(message: string): ArchiveError {
  return new ArchiveError("sparse-index", `Cannot push ${message}, expected all of them`, {
    hint: "Pull every platform and save the image again, or push the present ones with --sparse prune.",
  });
}

/** `repository:tag` for each tag; without a tag, the repository, since the image is named by its digest. */
function referencesOf(repository: string, tags: readonly string[]): readonly string[] {
  return tags.length === 0 ? [repository] : tags.map(tag => `${repository}:${tag}`);
}

/**
 * @param originals the same images as the archive has them.
 * @param plan with what refers to them.
 */
function pushedImages(
  roots: readonly SettledRoot[],
  originals: readonly (Root | undefined)[],
  plan: CopyPlan,
  repository: string,
): readonly PushedImage[] {
  return roots.flatMap((root, index) => {
    const { names, descriptor } = root;
    const { digest } = descriptor;
    const original = originals[index];
    const isChanged = original?.kind === "settled" && original.descriptor.digest !== digest;
    const previous = isChanged ? { previousDigest: original.descriptor.digest } : {};
    const more = { ...previous, ...referrersOf(plan, root) };
    return referencesOf(repository, names).map(reference => ({ reference, digest, ...more }));
  });
}

function plannedImages(plan: CopyPlan, repository: string): readonly PushedImage[] {
  return plan.roots.flatMap(root =>
    referencesOf(repository, root.names).map(reference => ({
      reference,
      ...(root.kind === "settled" ? { digest: root.descriptor.digest } : {}),
      ...referrersOf(plan, root),
    })),
  );
}

/** Of an archive without signatures, nothing is said about them. */
function referrersOf(plan: CopyPlan, root: Root): Pick<PushedImage, "referrers"> {
  const { found = [], leftOut = 0 } = root.referrers ?? {};
  const referrers = found.length + leftOut > 0 ? referrersSummary(plan, root) : undefined;
  return referrers === undefined ? {} : { referrers };
}
