import type { CopyPlan, ImageSource, SettledRoot } from "../../content/contracts.ts";
import { derivedSource, listRoots, rootsOf } from "../../content/derived-source.ts";
import { noteTo, type OnProgress } from "../../content/progress.ts";
import { addReferrers } from "../../copy/add-referrers.ts";
import { gather } from "../../copy/gather.ts";
import { checkPlatforms, rootPlatforms } from "../../copy/image-platforms.ts";
import { leftOutImages, leftOutNotes } from "../../copy/left-out-images.ts";
import { selectPlatforms } from "../../copy/select-platforms.ts";
import { ArchiveError, InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { manifestChildren } from "../../oci/manifest.ts";
import { formatPlatform, type Platform, selectBuilds } from "../../oci/platform.ts";
import type { FindsReferrers } from "../../registry/referrers/referrers-finder.ts";
import { type FullReference, registrySource } from "../../registry/registry-source.ts";
import { convertSchema1 } from "../../transform/convert-schema1.ts";
import { pruneSparse } from "../../transform/prune-sparse.ts";
import type { RegistryPool } from "../shared/registry-pool.ts";
import { chooseChild, repositoryName } from "../shared/remote-image.ts";

export interface PrepareRun {
  readonly registries: RegistryPool;
  readonly platforms: readonly Platform[] | "all";
  /** Finds what refers to the image. Default: the registry is asked. */
  readonly referrersFinder?: FindsReferrers | undefined;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** An image at its source, as it is to be copied. */
export interface PreparedImage {
  readonly source: ImageSource;
  /** As the source has it. */
  readonly original: SettledRoot;
  /** Another one where platforms are chosen or schema 1 is converted. */
  readonly root: SettledRoot;
  /** As `leftOutImages` returns it. */
  readonly absent: readonly string[];
}

/**
 * Reads what an image is, and chooses its platforms. An image of schema 1 is converted.
 *
 * @param tags that it gets.
 */
export async function prepareImage(
  run: PrepareRun,
  from: FullReference,
  tags: readonly string[],
): Promise<PreparedImage> {
  const { registries, referrersFinder = registries.referrersFinder, signal, onProgress } = run;
  const held = registrySource([from], registries.repositoryFor, { referrersFinder });
  const original = await onlyRoot(held, signal);
  const onNote = noteTo(onProgress);
  const { source, roots } = await convertSchema1(held, [original], { onNote, signal });
  const [taken = original] = roots;
  const name = repositoryName(from);
  const { chosen, root, absent = [] } = await choosePlatforms(run, source, { ...taken, names: tags }, name);
  for (const message of leftOutNotes([{ name, absent }])) onNote(message);
  return { source: chosen, original, root, absent };
}

export interface GatheredImage {
  /** The image alone. */
  readonly image: CopyPlan;
  /** With what refers to it. */
  readonly whole: CopyPlan;
}

/** What is copied. @param isCarried whether what refers to the image is. */
export async function gatherImage(
  { source, original, root }: PreparedImage,
  isCarried: boolean,
  { onProgress, signal }: PrepareRun,
): Promise<GatheredImage> {
  const image = await gather(source, [root], signal, manifestChildren);
  if (!isCarried) return { image, whole: image };
  const options = { originals: [original], onNote: noteTo(onProgress), onProgress, signal };
  return { image, whole: await addReferrers(source, image, options) };
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
  { platforms, signal, onProgress }: PrepareRun,
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
