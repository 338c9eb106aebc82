import { noteTo } from "../../content/progress.ts";
import { referrersLeftOut, referrersOnly } from "../../copy/add-referrers.ts";
import type { Place } from "../../copy/claims/run-images.ts";
import { copyImages } from "../../copy/copy-image.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import { planNotes } from "../../copy/plan-notes.ts";
import { NotFoundError } from "../../errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatReference } from "../../oci/reference.ts";
import { resolveDigest } from "../../registry/api/resolve-digest.ts";
import type { UndeliveredReferrer } from "../../registry/referrers/deliver-referrers.ts";
import type { FullReference } from "../../registry/registry-source.ts";
import { type ReferrersSummary, referrersSummary } from "../referrers/referrers-summary.ts";
import { checkRequired, type RequireOptions } from "../referrers/require-referrers.ts";
import { repositoryName } from "../shared/remote-image.ts";
import { gatherImage, type PrepareRun, prepareImage } from "./prepare-image.ts";

export interface CopyRun extends PrepareRun {
  /** That the image has among those of the call. */
  readonly place?: Place | undefined;
  /** Which repositories hold which blobs. */
  readonly cache: DigestCache;
  readonly dryRun?: boolean | undefined;
  readonly referrers?: boolean | undefined;
  /** Looks each blob and manifest up, also of an image whose tags are there. */
  readonly verify?: boolean | undefined;
  readonly requireReferrers?: RequireOptions["requireReferrers"];
  /** Takes what a repository refuses of an image's referrers. Default: that is an error. */
  readonly onUndelivered?: (repository: string) => (undelivered: UndeliveredReferrer) => void;
}

export interface Copied {
  readonly digest: Digest;
  readonly mediaType: string;
  /** The digest at the source, where platforms were chosen or schema 1 was converted. */
  readonly previousDigest?: Digest;
  /** As in `CopiedImage`. */
  readonly absent?: readonly string[];
  readonly referrers?: ReferrersSummary;
  /** Of blobs that were, or in a dry run would be, looked at. */
  readonly plannedBytes: number;
}

/**
 * Copies one image between repositories, of one registry or two: blobs are mounted where the registry does that, else
 * streamed through, nothing on disk. The manifest's bytes stay as they are, unless several of its platforms are chosen, or it is of
 * schema 1: that is converted, and never written.
 *
 * @param tags at the target; without any, the image is put by its digest.
 */
export async function copyBetween(
  run: CopyRun,
  from: FullReference,
  to: Pick<FullReference, "registry" | "repository">,
  tags: readonly string[],
): Promise<Copied> {
  const { registries, cache, signal, onProgress } = run;
  const onNote = noteTo(onProgress);
  const prepared = await prepareImage(run, from, tags);
  const { source, original, root, absent } = prepared;
  const { digest, mediaType } = root.descriptor;
  const previous = {
    ...(digest === original.descriptor.digest ? {} : { previousDigest: original.descriptor.digest }),
    ...(absent.length === 0 ? {} : { absent }),
  };
  const isThere = run.verify !== true && (await isAlreadyCopied(run, to, tags, digest));
  const there = `${repositoryName(to)}:${tags.join(", ")} is this image already`;
  const isHome = from.registry === to.registry && from.repository === to.repository;
  const isCarried = run.referrers !== false && (!isHome || run.requireReferrers !== undefined);
  if (isThere && !isCarried) {
    onNote(`${there}: nothing to copy`, true);
    return { digest, mediaType, ...previous, plannedBytes: 0 };
  }
  const { image, whole } = await gatherImage(prepared, isCarried, run);
  for (const message of referrersLeftOut(whole.roots)) onNote(message);
  checkRequired(
    "copy",
    { ...whole, roots: whole.roots.map(one => ({ ...one, names: [formatReference(from)] })) },
    run.requireReferrers,
  );
  const summary = referrersSummary(whole, whole.roots[0] ?? root);
  const done = { digest, mediaType, ...previous, ...(summary === undefined ? {} : { referrers: summary }) };
  const plan = isThere ? referrersOnly(whole, image) : whole;
  const isWhole = plan.manifests.size === 0;
  if (isThere) onNote(`${there}: ${isWhole ? "nothing to copy" : "copying what refers to it"}`, isWhole);
  if (isThere && isWhole) return { ...done, plannedBytes: 0 };
  const sourceName = repositoryName(from);
  if (run.dryRun === true) {
    for (const message of planNotes(plan, sourceName)) onNote(message);
    onProgress(registries.claimsAt(to).planned.plan(plan));
    return { ...done, plannedBytes: plan.totalBytes };
  }
  const holder = from.registry === to.registry && from.repository !== to.repository ? from.repository : undefined;
  const known: DigestCache = holder === undefined ? cache : { ...cache, findHolder: () => holder };
  const onUndelivered = run.onUndelivered?.(repositoryName(to));
  const isNew = run.verify !== true && !isThere;
  const target = await registries.targetFor(to, known, signal, { isNew, onUndelivered });
  const { pace } = registries;
  const claims = registries.claimsAt(to);
  const { place } = run;
  await copyImages({ plan, source, target, sourceName, cache, pace, claims, place, onProgress, signal });
  return { ...done, plannedBytes: plan.totalBytes };
}

/** True when every tag names this image already: all of it was there when the registry took its manifest. */
async function isAlreadyCopied(
  { registries, signal }: CopyRun,
  to: Pick<FullReference, "registry" | "repository">,
  tags: readonly string[],
  digest: Digest,
): Promise<boolean> {
  const repository = await registries.repositoryFor(to, signal, "pull,push");
  for (const key of tags.length === 0 ? [digest] : tags) {
    try {
      if ((await resolveDigest(repository, key, signal)).digest !== digest) return false;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }
  return true;
}
