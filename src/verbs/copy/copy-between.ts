import type { CopyPlan, ImageSource, SettledRoot } from "../../content/contracts.ts";
import { derivedSource, listRoots, rootsOf } from "../../content/derived-source.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { addReferrers, referrersLeftOut, referrersOnly } from "../../copy/add-referrers.ts";
import { copyImages } from "../../copy/copy-image.ts";
import type { DigestCache } from "../../copy/digest-cache.ts";
import { gather } from "../../copy/gather.ts";
import { checkPlatforms, rootPlatforms } from "../../copy/image-platforms.ts";
import { leftOutImages, leftOutNotes } from "../../copy/left-out-images.ts";
import { planNotes } from "../../copy/plan-notes.ts";
import { selectPlatforms } from "../../copy/select-platforms.ts";
import { ArchiveError, InternalError, NotFoundError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { manifestChildren } from "../../oci/manifest.ts";
import { formatPlatform, type Platform, selectBuilds } from "../../oci/platform.ts";
import { formatReference } from "../../oci/reference.ts";
import { resolveDigest } from "../../registry/api/resolve-digest.ts";
import type { UndeliveredReferrer } from "../../registry/referrers/deliver-referrers.ts";
import { type FullReference, registrySource } from "../../registry/registry-source.ts";
import { convertSchema1 } from "../../transform/convert-schema1.ts";
import { pruneSparse } from "../../transform/prune-sparse.ts";
import { type ReferrersSummary, referrersSummary } from "../referrers/referrers-summary.ts";
import { checkRequired, type RequireOptions } from "../referrers/require-referrers.ts";
import type { RegistryPool } from "../shared/registry-pool.ts";
import { chooseChild, repositoryName } from "../shared/remote-image.ts";

export interface CopyRun {
  readonly registries: RegistryPool;
  /** Which repositories hold which blobs. */
  readonly cache: DigestCache;
  readonly platforms: readonly Platform[] | "all";
  readonly dryRun?: boolean | undefined;
  readonly referrers?: boolean | undefined;
  readonly requireReferrers?: RequireOptions["requireReferrers"];
  /** Takes what a repository refuses of an image's referrers. Default: that is an error. */
  readonly onUndelivered?: (repository: string) => (undelivered: UndeliveredReferrer) => void;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
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
  const { referrersFinder } = registries;
  await using held = registrySource([from], registries.repositoryFor, { referrersFinder });
  const original = await onlyRoot(held, signal);
  const onNote = noteTo(onProgress);
  const { source, roots } = await convertSchema1(held, [original], { onNote, signal });
  const [taken = original] = roots;
  const name = repositoryName(from);
  const { chosen, root, absent = [] } = await choosePlatforms(run, source, { ...taken, names: tags }, name);
  for (const message of leftOutNotes([{ name, absent }])) onNote(message);
  const { digest, mediaType } = root.descriptor;
  const previous = {
    ...(digest === original.descriptor.digest ? {} : { previousDigest: original.descriptor.digest }),
    ...(absent.length === 0 ? {} : { absent }),
  };
  const isThere = await isAlreadyCopied(run, to, tags, digest);
  const there = `${repositoryName(to)}:${tags.join(", ")} is this image already`;
  const isHome = from.registry === to.registry && from.repository === to.repository;
  const isCarried = run.referrers !== false && (!isHome || run.requireReferrers !== undefined);
  if (isThere && !isCarried) {
    onNote(`${there}: nothing to copy`);
    return { digest, mediaType, ...previous, plannedBytes: 0 };
  }
  const image: CopyPlan = await gather(chosen, [root], signal, manifestChildren);
  const whole = isCarried ? await addReferrers(chosen, image, { originals: [original], onNote, signal }) : image;
  for (const message of referrersLeftOut(whole.roots)) onNote(message);
  checkRequired(
    "copy",
    { ...whole, roots: whole.roots.map(one => ({ ...one, names: [formatReference(from)] })) },
    run.requireReferrers,
  );
  const summary = referrersSummary(whole, whole.roots[0] ?? root);
  const done = { digest, mediaType, ...previous, ...(summary === undefined ? {} : { referrers: summary }) };
  const plan = isThere ? referrersOnly(whole, image) : whole;
  if (isThere) onNote(`${there}: ${plan.manifests.size === 0 ? "nothing to copy" : "copying what refers to it"}`);
  if (isThere && plan.manifests.size === 0) return { ...done, plannedBytes: 0 };
  const sourceName = repositoryName(from);
  if (run.dryRun === true) {
    for (const message of planNotes(plan, sourceName)) onNote(message);
    return { ...done, plannedBytes: plan.totalBytes };
  }
  const holder = from.registry === to.registry && from.repository !== to.repository ? from.repository : undefined;
  const known: DigestCache = holder === undefined ? cache : { ...cache, findHolder: () => holder };
  const target = await registries.targetFor(to, known, signal, run.onUndelivered?.(repositoryName(to)));
  const { pace } = registries;
  await copyImages({ plan, source: chosen, target, sourceName, cache, pace, onProgress, signal });
  return { ...done, plannedBytes: plan.totalBytes };
}

async function onlyRoot(source: ImageSource, signal: AbortSignal | undefined): Promise<SettledRoot> {
  for await (const root of source.roots(signal)) if (root.kind === "settled") return root;
  throw new InternalError("Cannot copy image: the registry source gave no root");
}

interface Chosen {
  readonly chosen: ImageSource;
  readonly root: SettledRoot;
  /** As `leftOutImages` returns it. */
  readonly absent?: readonly string[];
}

/** One platform of an index is copied by itself, its digest kept; of several, an index without the others is made. */
async function choosePlatforms(
  { platforms, signal, onProgress }: CopyRun,
  source: ImageSource,
  root: SettledRoot,
  name: string,
): Promise<Chosen> {
  if (platforms === "all") return { chosen: source, root };
  const plan = await gather(source, [root], signal, view => (view.kind === "index" ? [] : manifestChildren(view)));
  const view = plan.manifests.get(root.descriptor.digest)?.view;
  const [first, ...others] = platforms;
  if (first === undefined) return { chosen: source, root };
  const builds = view?.kind === "index" ? selectBuilds(view.manifests, first) : [];
  if (view?.kind !== "index" || (others.length === 0 && builds.length < 2)) {
    const descriptor = view?.kind === "index" ? chooseChild(view.manifests, first, name) : root.descriptor;
    const chosen = { ...root, descriptor };
    const found = await rootPlatforms(source, await gather(source, [chosen], signal, () => []), chosen, signal);
    checkPlatforms(platforms, found, `copy ${name}`);
    return { chosen: source, root: chosen, absent: leftOutImages(plan, root, new Set([descriptor.digest])) };
  }
  const kept = new Set(selectPlatforms(platforms, "copy")(view, root.descriptor).map(({ digest }) => digest));
  const dropped = new Set(view.manifests.filter(({ digest }) => !kept.has(digest)).map(({ digest }) => digest));
  const partial = derivedSource(source, {
    roots: rootsOf([root]),
    blob: async (descriptor, stop) => {
      if (dropped.has(descriptor.digest)) throw leftOut(descriptor);
      return await source.blob(descriptor, stop);
    },
  });
  const pruned = pruneSparse(partial, () => undefined);
  const [changed] = await listRoots(pruned, signal);
  if (changed?.kind !== "settled") throw new InternalError("Cannot copy image: choosing platforms left no root");
  const labels = platforms.map(formatPlatform).join(", ");
  if (dropped.size > 0) onProgress({ kind: "note", message: `${name}: an index of ${labels} alone gets a new digest` });
  return { chosen: pruned, root: changed, absent: leftOutImages(plan, root, kept) };
}

function leftOut({ digest }: Descriptor): ArchiveError {
  return new ArchiveError("missing-blob", `Cannot copy manifest ${digest}: not among the chosen platforms`);
}

/** True when every tag names this image already: then all of it is there. */
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
