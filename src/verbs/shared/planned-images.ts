import { dockerImage, notLoadable } from "../../archive/write/build-metadata.ts";
import type { LockedSparse } from "../../bundle/lock/lock.ts";
import type { CopyPlan, ImageSource, Root } from "../../content/contracts.ts";
import { blobsOf, derivedSource, listRoots, rootsOf } from "../../content/derived-source.ts";
import type { OnProgress } from "../../content/progress.ts";
import { addReferrers, referrersLeftOut } from "../../copy/add-referrers.ts";
import { atEnd } from "../../copy/copy-ends.ts";
import { gather, type SelectChildren } from "../../copy/gather.ts";
import { severalBuilds } from "../../copy/image-platforms.ts";
import { manifestsBelow } from "../../copy/manifests-below.ts";
import { ArchiveError, UsageError } from "../../errors.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../../oci/annotations.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isManifestType, OCI_MANIFEST } from "../../oci/media-types.ts";
import { formatPlatform, type Platform, selectBuilds } from "../../oci/platform.ts";
import { parseReference } from "../../oci/reference.ts";
import { convertSchema1 } from "../../transform/convert-schema1.ts";
import { isRecompressed } from "../../transform/layers-to-recompress.ts";
import { pruneSparse } from "../../transform/prune-sparse.ts";
import { recompressLayers } from "../../transform/recompress-layers.ts";
import { settleDrafts } from "../../transform/settle-drafts.ts";
import { counted, escapeForeign } from "../../util/format.ts";
import type { LayerChange } from "./layer-change.ts";

/** What is copied, and from where. Each step below takes one and returns the next. */
export interface PlannedImages {
  readonly source: ImageSource;
  readonly plan: CopyPlan;
  /** The roots as the input has them, in the order of the plan's. */
  readonly originals: readonly Root[];
}

export interface PlanOptions {
  /** What is taken of the indexes below these roots. */
  readonly selectFor: (roots: readonly Root[]) => SelectChildren;
  /** Called with each manifest that the source does not contain; without it such a manifest is an error. */
  readonly onAbsent?: ((descriptor: Descriptor) => void) | undefined;
  readonly onNote: (message: string) => void;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Plans the selected platforms of all images of a source; images of schema 1 become schema 2. */
export async function planImages(
  given: ImageSource,
  originals: readonly Root[] | undefined,
  options: PlanOptions,
): Promise<PlannedImages> {
  const found = await listRoots(given, options.signal);
  const { source, roots } = await atEnd("source", async () => await convertSchema1(given, found, options));
  return await planRoots(source, roots, originals ?? found, options);
}

/** Replaces each index by its image for `platform`: a docker archive has one image per name. Skips other artifacts. */
export async function planDockerImages(
  { source, plan, originals }: PlannedImages,
  platform: Platform,
  options: PlanOptions,
): Promise<PlannedImages> {
  const kept: { readonly root: Root; readonly original: Root }[] = [];
  for (const [index, root] of plan.roots.entries()) {
    const image = dockerRoot(plan, root, firstPlatform(root) ?? platform);
    if (image !== undefined) kept.push({ root: image, original: originals[index] ?? root });
    else options.onNote(`Skipping ${nameOf(root)}: ${notLoadable(plan)}, and a docker archive contains only images`);
  }
  return await planAgain(
    { source, plan, originals: kept.map(({ original }) => original) },
    kept.map(({ root }) => root),
    options,
  );
}

/**
 * Changes what indexes say of platforms that are not taken: nothing, or these entries are dropped.
 *
 * @throws UsageError for "fail" and an index with such platforms.
 */
export async function planSparse(
  images: PlannedImages,
  sparse: LockedSparse | undefined,
  options: PlanOptions,
): Promise<PlannedImages> {
  const { source, plan, originals } = images;
  if (sparse === "fail") checkWhole(plan);
  if (sparse !== "prune") return images;
  const taken = derivedSource(source, {
    async blob(descriptor, signal) {
      const { digest, mediaType } = descriptor;
      if (!isManifestType(mediaType) || plan.manifests.has(digest)) return await source.blob(descriptor, signal);
      throw new ArchiveError("missing-blob", `Cannot read manifest ${digest}: not taken, expected a platform that is`);
    },
  });
  const pruned = pruneSparse(taken, options.onNote, "not asked for");
  return await planAgain({ source: pruned, plan, originals }, await listRoots(pruned, options.signal), options);
}

/**
 * For a loader that imports all platforms of an index, and fails at one that is not there: a name of an index of which one
 * image is taken leads to that image; of several, to an index of these.
 *
 * @param loader names it in notes.
 */
export async function planWhole(images: PlannedImages, loader: string, options: PlanOptions): Promise<PlannedImages> {
  const { source, plan, originals } = images;
  const roots = plan.roots.map(root => {
    const only = root.kind === "settled" ? onlyImage(plan, root.descriptor) : undefined;
    if (only === undefined) return root;
    options.onNote(
      `${nameOf(root)} leads to one image of its index: ${loader} imports all platforms, and those of the index are not all taken`,
    );
    return { ...root, kind: "settled" as const, descriptor: only };
  });
  return await planSparse(await planAgain({ source, plan, originals }, roots, options), "prune", options);
}

/** The one image that is taken of an index; undefined for an index that is taken whole. */
function onlyImage(plan: CopyPlan, top: Descriptor): Descriptor | undefined {
  const found = new Map<Digest, Descriptor>();
  let isSparse = false;
  for (const { view } of manifestsBelow(plan, top)) {
    for (const child of view.kind === "index" ? view.manifests : []) {
      const planned = plan.manifests.get(child.digest);
      if (planned === undefined) isSparse ||= isManifestType(child.mediaType);
      else if (planned.view.kind !== "index" && child.annotations?.[ANNOTATION_REFERENCE_DIGEST] === undefined)
        found.set(child.digest, planned.descriptor);
    }
  }
  const [only, ...others] = found.values();
  if (!isSparse || only === undefined || others.length > 0) return undefined;
  // Without the platform that the index gives it: an entry of index.json with one is compared with the machine's.
  return { mediaType: only.mediaType, digest: only.digest, size: only.size };
}

function checkWhole(plan: CopyPlan): void {
  for (const root of plan.roots) {
    const view = root.kind === "settled" ? plan.manifests.get(root.descriptor.digest)?.view : undefined;
    const absent = (view?.kind === "index" ? view.manifests : []).filter(({ digest }) => !plan.manifests.has(digest));
    const labels = absent.flatMap(({ platform }) => (platform === undefined ? [] : [formatPlatform(platform)]));
    if (absent.length === 0) continue;
    const found = escapeForeign([...new Set(labels)].join(", ") || counted(absent.length, "manifest"));
    throw new UsageError(`Cannot take ${nameOf(root)}: not asked for ${found} of its index, expected all of it`, {
      hint: "Take them with --platform all, or change the index with --sparse prune.",
    });
  }
}

/** @returns `images` itself if no layer changes. */
export async function planRecompressed(
  images: PlannedImages,
  { target, only, reason = "" }: LayerChange,
  options: PlanOptions,
): Promise<PlannedImages> {
  const { source, plan, originals } = images;
  const { signal, onProgress } = options;
  const onNote = (text: string): void => options.onNote(`${reason}${text}`);
  const recompressed = await atEnd(
    "source",
    async () => await recompressLayers(source, plan, target, { only, onNote, onProgress, signal }),
  );
  if (recompressed === source) return images;
  return await planAgain(
    { source: recompressed, plan, originals },
    await listRoots(recompressed, options.signal),
    options,
  );
}

/** Notes that layers will be recompressed, without reading them. @returns whether any will be. */
export function announceRecompression({ plan }: PlannedImages, change: LayerChange, { onNote }: PlanOptions): boolean {
  const isAny = plan.blobs.some(blob => isRecompressed(blob, change.target, change.only));
  if (isAny) onNote("Layers will be recompressed when written, so their digests will change");
  return isAny;
}

/** Gives images without a manifest one of OCI's type if `isOci`, else of the type that their source proposes. */
export async function planSettled(
  { source, plan, originals }: PlannedImages,
  isOci: boolean,
  options: PlanOptions,
): Promise<PlannedImages> {
  const settled = settleDrafts(source, isOci ? OCI_MANIFEST : undefined);
  const roots = await listRoots(settled, options.signal);
  const named = roots.map((root, index) => withOwnNames(root, originals[index]));
  return await planAgain({ source: settled, plan, originals }, named, options);
}

/** Adds what refers to the images, and says what of it stays behind. */
export async function planReferrers(images: PlannedImages, options: PlanOptions): Promise<PlannedImages> {
  const { source, originals } = images;
  const plan = await addReferrers(source, images.plan, { ...options, originals });
  for (const message of referrersLeftOut(plan.roots)) options.onNote(message);
  return { ...images, plan };
}

/**
 * A name is what was asked for, also where the image gets another digest: both are reported. The digest in a name of an image
 * that had no manifest was never its own, and is dropped.
 */
function withOwnNames(root: Root, original: Root | undefined): Root {
  if (root.kind === "draft" || original?.kind !== "draft") return root;
  const { digest } = root.descriptor;
  return { ...root, names: root.names.filter(name => (parseReference(name).digest ?? digest) === digest) };
}

async function planRoots(
  source: ImageSource,
  roots: readonly Root[],
  originals: readonly Root[],
  { selectFor, onAbsent, signal }: PlanOptions,
  known?: CopyPlan["manifests"],
): Promise<PlannedImages> {
  const plan = await gather(source, roots, signal, selectFor(roots), onAbsent, known);
  // The next step reads manifests from memory: a registry is not asked again.
  const blob = blobsOf(source, digest => plan.manifests.get(digest)?.bytes);
  return { source: derivedSource(source, { roots: rootsOf(plan.roots), blob }), plan, originals };
}

/** As `planRoots`, after an earlier plan: that one has reported absent manifests, and knows most of the manifests. */
async function planAgain(
  { source, plan, originals }: PlannedImages,
  roots: readonly Root[],
  options: PlanOptions,
): Promise<PlannedImages> {
  const onAbsent = options.onAbsent && (() => undefined);
  return await planRoots(source, roots, originals, { ...options, onAbsent }, plan.manifests);
}

/** Of those that were chosen for this image alone. */
function firstPlatform({ platforms }: Root): Platform | undefined {
  return platforms === "all" ? undefined : platforms?.[0];
}

/** Undefined for anything but an image. @throws UsageError for several builds of Windows. */
function dockerRoot(plan: CopyPlan, root: Root, platform: Platform): Root | undefined {
  if (root.kind === "draft") return root;
  const view = plan.manifests.get(root.descriptor.digest)?.view;
  const present = view?.kind === "index" ? view.manifests.filter(({ digest }) => plan.manifests.has(digest)) : [];
  const builds = selectBuilds(present, platform);
  if (builds.length > 1) throw severalBuilds(platform, builds, `write docker archive of ${nameOf(root)}`);
  const image = dockerImage(plan, root.descriptor, platform);
  return image === undefined ? undefined : { ...root, descriptor: image.descriptor };
}

/** Names a root in messages. */
export function nameOf(root: Root): string {
  return root.names[0] ?? (root.kind === "draft" ? root.draft.config.digest : root.descriptor.digest);
}
