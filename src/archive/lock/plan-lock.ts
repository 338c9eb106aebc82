import { lockOf } from "../../bundle/lock/format-lock.ts";
import type {
  AssumedBlob,
  LeftImage,
  Lock,
  LockedBlob,
  LockedImage,
  LockedKind,
  LockedLayers,
  LockedReferrer,
  LockedSparse,
} from "../../bundle/lock/lock.ts";
import { isWord } from "../../bundle/lock/lock-schema.ts";
import type { CopyPlan, Root, RootReferrers, SettledRoot } from "../../content/contracts.ts";
import { InternalError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { manifestChildren } from "../../oci/manifest.ts";
import { isManifestType } from "../../oci/media-types.ts";
import { repositoryOf } from "../../oci/names/repository-of.ts";
import { formatPlatform, type Platform } from "../../oci/platform.ts";
import { artifactTypeOf } from "../../oci/referrers/referrer-kind.ts";

/** What a lock says that a plan does not. */
export interface LockSettings {
  /** What was asked for. */
  readonly platforms: readonly Platform[] | "all";
  readonly sparse: LockedSparse;
  /** Only if layers changed. */
  readonly layers?: LockedLayers | undefined;
  /** Images that were asked for and could not be taken. */
  readonly left?: readonly LeftImage[];
  /** The roots as the source has them, in the order of the plan's. Default: the plan's. */
  readonly originals?: readonly Root[] | undefined;
  /** What else is known of the image of this name; `digest` is that of the original. */
  readonly imageOf?: ((name: string, digest: Digest) => KnownImage | undefined) | undefined;
  /** `registry/repository` that have a blob. Default: none is known. */
  readonly repositoriesOf?: ((digest: Digest) => readonly string[]) | undefined;
  /** Ids of the locks of those who have the assumed layers of the plan. */
  readonly bases?: readonly Digest[] | undefined;
  /** What `planLock` returned for the same plan and settings, which is not made again. */
  readonly made?: Lock | undefined;
}

/** Fields of a lock that neither the name nor the manifests of an image say. */
export type KnownImage = Partial<Pick<LockedImage, "digest" | "from" | "platforms">>;

/**
 * The lock of what is written. The closure of each image is in it: every manifest, config and layer that a carried manifest
 * names, but for children of an index and foreign layers that are left out.
 *
 * @throws InternalError for a plan that lacks something of an image.
 */
export function planLock(plan: CopyPlan, settings: LockSettings): Lock {
  const { platforms, sparse, layers, left = [], originals, made } = settings;
  if (made !== undefined) return made;
  const assumes = assumedBlobs(plan, settings);
  return lockOf({
    platforms: platformTexts(platforms),
    sparse,
    referrers: plan.roots.some(({ referrers }) => referrers !== undefined),
    ...(layers === undefined ? {} : { layers }),
    images: plan.roots.flatMap((root, index) =>
      root.kind === "settled" ? imagesOf(plan, root, originals?.[index], settings) : [],
    ),
    left,
    blobs: blobsOf(plan, settings),
    ...(assumes.length === 0 ? {} : { bases: settings.bases ?? [], assumes }),
  });
}

function assumedBlobs({ assumed = [] }: CopyPlan, { repositoriesOf = () => [] }: LockSettings): readonly AssumedBlob[] {
  return assumed.map(({ descriptor: { digest, size }, repositories }) => ({
    digest,
    size,
    repositories,
    sources: repositoriesOf(digest),
  }));
}

/**
 * The repositories that the names of a source's roots lead to, for each blob below them.
 *
 * @param plan of what the source has, before anything is changed.
 * @param originals roots of the source, in the order of the plan's: one of schema 1 has the layers only.
 */
export function repositoriesOfPlan(
  plan: CopyPlan,
  originals: readonly Root[],
  imageOf?: LockSettings["imageOf"],
): NonNullable<LockSettings["repositoriesOf"]> {
  const found = new Map<Digest, Set<string>>();
  for (const [index, root] of plan.roots.entries()) {
    if (root.kind !== "settled") continue;
    const original = originals[index];
    const isSame = original?.kind !== "settled" || original.descriptor.digest === root.descriptor.digest;
    const { manifests, configs, layers } = closureOf(plan, [root.descriptor]);
    const { found: more = [] } = root.referrers ?? {};
    const referring = closureOf(
      plan,
      more.map(({ descriptor }) => descriptor),
    );
    const digests = [
      ...layers,
      ...(isSame ? [...manifests, ...configs] : []),
      ...[referring.manifests, referring.configs, referring.layers].flat(),
    ];
    const repositories = root.names.map(name => imageOf?.(name, root.descriptor.digest)?.from ?? repositoryOf(name));
    for (const digest of digests) {
      const known = found.get(digest) ?? new Set();
      for (const repository of repositories) known.add(repository);
      found.set(digest, known);
    }
  }
  return digest => [...(found.get(digest) ?? [])];
}

function imagesOf(
  plan: CopyPlan,
  root: SettledRoot,
  original: Root | undefined,
  { imageOf, platforms: wanted }: LockSettings,
): readonly LockedImage[] {
  const { descriptor, names, referrers } = root;
  const platforms = ownPlatforms(root, wanted);
  const source = original?.kind === "settled" ? original.descriptor.digest : descriptor.digest;
  const { manifests, absent } = closureOf(plan, [descriptor]);
  return (names.length === 0 ? [""] : names).map(name => {
    const { digest = source, ...known } = imageOf?.(name, source) ?? {};
    return {
      name,
      digest,
      ...(digest === descriptor.digest ? {} : { written: descriptor.digest }),
      ...(platforms === undefined ? {} : { platforms }),
      manifests,
      absent,
      referrers: [],
      ...known,
      ...(referrers === undefined ? {} : { referrers: rowsOf(plan, referrers) }),
      ...(referrers?.lookup === undefined ? {} : { lookup: referrers.lookup }),
    };
  });
}

function platformTexts(platforms: readonly Platform[] | "all"): readonly string[] {
  return platforms === "all" ? ["all"] : [...new Set(platforms.map(formatPlatform))].sort();
}

/** The choice of an image, if it differs from that of the lock. */
function ownPlatforms({ platforms }: Root, wanted: readonly Platform[] | "all"): readonly string[] | undefined {
  if (platforms === undefined) return undefined;
  const own = platformTexts(platforms);
  return own.join() === platformTexts(wanted).join() ? undefined : own;
}

/** Digests below some manifests, which are among them. */
export interface Closure {
  readonly manifests: readonly Digest[];
  readonly configs: readonly Digest[];
  readonly layers: readonly Digest[];
  /** Children of an index that are not carried. */
  readonly absent: readonly string[];
}

const NONE: ReadonlySet<Digest> = new Set();
const digestSets = new WeakMap<readonly Descriptor[], ReadonlySet<Digest>>();

/** Of a list that is asked about for each of thousands of images. */
function digestsOf(descriptors: readonly Descriptor[]): ReadonlySet<Digest> {
  const known = digestSets.get(descriptors) ?? new Set(descriptors.map(({ digest }) => digest));
  digestSets.set(descriptors, known);
  return known;
}

/** What is below some manifests of a plan. */
export function closureOf({ manifests, leftOut }: CopyPlan, tops: readonly Descriptor[]): Closure {
  const found = new Set<Digest>();
  const configs = new Set<Digest>();
  const layers = new Set<Digest>();
  const absent = new Set<string>();
  const isLeftOut = leftOut === undefined ? NONE : digestsOf(leftOut);
  const walk = (descriptor: Descriptor): void => {
    const { digest } = descriptor;
    const view = manifests.get(digest)?.view;
    if (view === undefined) absent.add(labelOf(descriptor));
    if (view === undefined || found.has(digest)) return;
    found.add(digest);
    if (view.kind === "image") configs.add(view.config.digest);
    const children = view.kind === "image" ? view.layers : manifestChildren(view);
    for (const child of children) {
      if (view.kind === "index" && isManifestType(child.mediaType)) walk(child);
      else if (!isLeftOut.has(child.digest)) layers.add(child.digest);
    }
  };
  for (const descriptor of tops) walk(descriptor);
  return { manifests: [...found], configs: [...configs], layers: [...layers], absent: [...absent] };
}

/** The platform of an index entry, or else its digest. */
export function labelOf({ platform, digest }: Descriptor): string {
  const label = platform === undefined || platform.os === "unknown" ? "" : formatPlatform(platform);
  return isWord(label) ? label : digest;
}

function rowsOf({ manifests }: CopyPlan, { found }: RootReferrers): readonly LockedReferrer[] {
  return found.map(({ descriptor: { digest }, subject, tag }) => {
    const view = manifests.get(digest)?.view;
    const type = view === undefined ? undefined : artifactTypeOf(view);
    return {
      digest,
      ...(subject === undefined ? {} : { subject }),
      ...(isWord(type) ? { type } : {}),
      ...(tag === undefined ? {} : { tag }),
    };
  });
}

function blobsOf(plan: CopyPlan, settings: LockSettings): readonly LockedBlob[] {
  const { manifests, blobs, leftOut = [], assumed = [] } = plan;
  const { repositoriesOf = () => [] } = settings;
  const views = [...manifests.values()].map(({ view }) => view);
  const configs = new Set(views.flatMap(view => (view.kind === "image" ? [view.config.digest] : [])));
  const rowOf = ({ digest, size }: Descriptor, kind: LockedKind): LockedBlob => ({
    digest,
    size,
    kind,
    repositories: repositoriesOf(digest),
  });
  const known = [...blobs, ...leftOut, ...assumed.map(({ descriptor }) => descriptor)];
  const carried = new Set(known.map(({ digest }) => digest));
  for (const { digest } of views.flatMap(view => (view.kind === "index" ? [] : manifestChildren(view)))) {
    if (!carried.has(digest)) throw new InternalError(`Cannot plan archive: blob ${digest} of an image is not planned`);
  }
  return [
    ...[...manifests.values()].map(({ descriptor }) => rowOf(descriptor, "manifest")),
    ...blobs.map(blob => rowOf(blob, configs.has(blob.digest) ? "config" : "layer")),
  ];
}
