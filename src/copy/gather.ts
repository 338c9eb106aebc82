import type { CopyPlan, ImageSource, PendingBlob, PlannedManifest, Root } from "../content/contracts.ts";
import { hasBlob } from "../content/derived-source.ts";
import { isPending } from "../content/draft-manifest.ts";
import { knownView } from "../content/kept-views.ts";
import { readManifestBytes } from "../content/read-manifest-bytes.ts";
import { ArchiveError, isMissingBlob } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { MAX_INDEX_DEPTH } from "../oci/limits.ts";
import { manifestChildren, parseManifest } from "../oci/manifest.ts";
import { isForeignLayerType, isManifestType } from "../oci/media-types.ts";
import { counted, formatBytes } from "../util/format.ts";
import { atEnd } from "./copy-ends.ts";
import { type ReadManifest, readAhead, readKey, type SelectChildren } from "./read-ahead.ts";

export type { SelectChildren } from "./read-ahead.ts";

/** Of one image, or of few. */
const MAX_DESCRIPTORS = 100_000;
/** All manifests stay in memory until they are copied. */
const MAX_MANIFESTS_BYTES = 32 * 1024 * 1024;
/** What each image of many adds: more than real ones have. Who names thousands of images has the memory for them. */
const DESCRIPTORS_PER_IMAGE = 100;
const MANIFEST_BYTES_PER_IMAGE = 16 * 1024;
/** Archives name as many images as they like, so there is an end. The lock of so many blobs fits into its own limit. */
const MOST_DESCRIPTORS = 500_000;
const MOST_MANIFESTS_BYTES = 256 * 1024 * 1024;

/**
 * Reads every manifest below the roots and plans the copy: known blobs, pending blobs, total size. Visits each digest once
 * (security case M-07). A foreign layer that the source lacks is left out: its publisher asks not to distribute it, and most
 * registries and archives do not have it (image-spec layer.md).
 *
 * @param onAbsent is called with each manifest below a root that the source does not contain; without it such a manifest
 * is an error.
 * @param known manifests of an earlier plan, which need not be read and parsed again.
 */
export async function gather(
  source: ImageSource,
  roots: readonly Root[],
  signal?: AbortSignal,
  select: SelectChildren = manifestChildren,
  onAbsent?: (descriptor: Descriptor) => void,
  known?: CopyPlan["manifests"],
): Promise<CopyPlan> {
  return await atEnd("source", async () => await gatherAll(source, roots, signal, select, onAbsent, known));
}

async function gatherAll(
  source: ImageSource,
  roots: readonly Root[],
  signal: AbortSignal | undefined,
  select: SelectChildren,
  onAbsent: ((descriptor: Descriptor) => void) | undefined,
  known: CopyPlan["manifests"] = new Map(),
): Promise<CopyPlan> {
  const limits = limitsOf(roots.length);
  const blobs = new Map<Digest, Descriptor>();
  const manifests = new Map<Digest, PlannedManifest>();
  const pending = new Map<string, PendingBlob>();
  const leftOut = new Map<Digest, Descriptor>();
  let manifestBytes = 0;
  const settled = roots.flatMap(root => (root.kind === "settled" ? [root.descriptor] : []));
  const readNew: ReadManifest = async (from, descriptor, own) =>
    knownAs(descriptor, known) ?? (await readManifest(from, descriptor, own));
  const outcomes = await readAhead(source, settled, { select, read: readNew, maxBytes: limits.bytes }, signal);
  const read = async (descriptor: Descriptor): Promise<PlannedManifest> => {
    const outcome = outcomes.get(readKey(descriptor));
    if (outcome === undefined) return await readNew(source, descriptor, signal);
    if ("error" in outcome) throw outcome.error;
    return withStatedSize(outcome.planned, descriptor);
  };
  const walk = async (descriptor: Descriptor, depth: number, trail: ReadonlySet<Digest>): Promise<void> => {
    const { digest } = descriptor;
    if (manifests.has(digest) || trail.has(digest)) return;
    if (depth > MAX_INDEX_DEPTH || blobs.size + manifests.size > limits.descriptors) throw tooLarge(depth, limits);
    if (manifestBytes > limits.bytes) throw tooMuch(limits);
    const planned = await read(descriptor).catch(error => {
      if (onAbsent === undefined || depth === 1 || !isMissingBlob(error)) throw error;
      return undefined;
    });
    if (planned === undefined) {
      onAbsent?.(descriptor);
      return;
    }
    manifestBytes += planned.bytes.length;
    for (const child of select(planned.view, descriptor)) {
      if (isManifestType(child.mediaType)) await walk(child, depth + 1, new Set([...trail, digest]));
      else await add(child);
    }
    manifests.set(digest, planned);
  };
  const add = async (blob: Descriptor): Promise<void> => {
    const { digest, mediaType } = blob;
    if (blobs.has(digest) || leftOut.has(digest)) return;
    const isLeftOut = isForeignLayerType(mediaType) && !(await hasBlob(source, blob, signal));
    (isLeftOut ? leftOut : blobs).set(digest, blob);
  };
  for (const root of roots) {
    if (root.kind === "settled") {
      await walk(root.descriptor, 1, new Set());
      continue;
    }
    blobs.set(root.draft.config.digest, root.draft.config);
    for (const layer of root.draft.layers) {
      if (isPending(layer)) pending.set(layer.key, layer);
      else await add(layer);
    }
  }
  return { ...plan(roots, [...blobs.values()], [...pending.values()], manifests), leftOut: [...leftOut.values()] };
}

function plan(
  roots: readonly Root[],
  blobs: readonly Descriptor[],
  pending: readonly PendingBlob[],
  manifests: ReadonlyMap<Digest, PlannedManifest>,
): CopyPlan {
  const known = blobs.reduce((sum, { size }) => sum + size, 0);
  const raw = pending.reduce((sum, { sourceBytes }) => sum + sourceBytes, 0);
  return { roots: roots.map(root => withSize(root, manifests)), blobs, pending, manifests, totalBytes: known + raw };
}

function withSize(root: Root, manifests: ReadonlyMap<Digest, PlannedManifest>): Root {
  if (root.kind === "draft") return root;
  const { size = root.descriptor.size } = manifests.get(root.descriptor.digest)?.descriptor ?? {};
  return size === root.descriptor.size ? root : { ...root, descriptor: { ...root.descriptor, size } };
}

async function readManifest(
  source: ImageSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<PlannedManifest> {
  const { digest, mediaType } = descriptor;
  const bytes = await readManifestBytes(source, descriptor, `manifest ${digest}`, signal);
  const view = knownView(bytes, mediaType) ?? parseManifest(bytes, { announced: mediaType, where: digest });
  return withStatedSize({ descriptor, bytes, view }, descriptor);
}

/** Two indexes may state two sizes of one manifest. */
function withStatedSize({ bytes, view }: PlannedManifest, descriptor: Descriptor): PlannedManifest {
  const { size: statedSize } = descriptor;
  if (bytes.length === statedSize) return { descriptor, bytes, view };
  return { descriptor: { ...descriptor, size: bytes.length }, statedSize, bytes, view };
}

/** The digest names the same bytes, but their meaning depends on the announced type. */
function knownAs(descriptor: Descriptor, known: CopyPlan["manifests"]): PlannedManifest | undefined {
  const found = known.get(descriptor.digest);
  return found?.descriptor.mediaType === descriptor.mediaType ? withStatedSize(found, descriptor) : undefined;
}

interface Limits {
  readonly descriptors: number;
  readonly bytes: number;
  readonly images: number;
}

function limitsOf(images: number): Limits {
  return {
    descriptors: Math.min(MOST_DESCRIPTORS, MAX_DESCRIPTORS + images * DESCRIPTORS_PER_IMAGE),
    bytes: Math.min(MOST_MANIFESTS_BYTES, MAX_MANIFESTS_BYTES + images * MANIFEST_BYTES_PER_IMAGE),
    images,
  };
}

function tooMuch({ bytes, images }: Limits): ArchiveError {
  return new ArchiveError(
    "graph-too-large",
    `Cannot read ${whatOf(images)}: more than ${formatBytes(bytes)} of manifests, expected less`,
    images > 1 ? { hint: FEWER } : {},
  );
}

function tooLarge(depth: number, { descriptors, images }: Limits): ArchiveError {
  const found = depth > MAX_INDEX_DEPTH ? `indexes nested ${depth} deep` : `more than ${descriptors} descriptors`;
  return new ArchiveError(
    "graph-too-large",
    `Cannot read ${whatOf(images)}: ${found}, expected at most ${MAX_INDEX_DEPTH} levels and ${descriptors} descriptors`,
    depth <= MAX_INDEX_DEPTH && images > 1 ? { hint: FEWER } : {},
  );
}

function whatOf(images: number): string {
  return images === 1 ? "image" : counted(images, "image");
}

const FEWER = "Take fewer images in one call.";
