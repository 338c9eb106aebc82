import { formatLock, LOCK_FILE } from "../../bundle/lock/format-lock.ts";
import type { CopyPlan, SettledRoot } from "../../content/contracts.ts";
import { ANNOTATION_IMAGE_NAME, ANNOTATION_REF_NAME } from "../../oci/annotations.ts";
import { buildImageIndex } from "../../oci/build-manifest.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { DOCKER_MANIFEST_FILE } from "../../oci/docker-manifest.ts";
import { isArtifact } from "../../oci/is-artifact.ts";
import { INDEX_FILE, LAYOUT_FILE, LAYOUT_HEADER } from "../../oci/layout.ts";
import type { ImageView } from "../../oci/manifest.ts";
import { type EntryName, entryNames, tagNameOf, tagOwners } from "../../oci/names/pinned-names.ts";
import { type Platform, selectPlatform } from "../../oci/platform.ts";
import type { LockSignature, SignLock } from "../../oci/signatures/lock-signature.ts";
import { SIGNATURE_FILE } from "../entry-names.ts";
import { type LockSettings, planLock } from "../lock/plan-lock.ts";

interface MetadataFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly signature?: LockSignature;
}

/** What the files of a volume say, which has a part of the bundle. */
export interface VolumeMetadata {
  /** Of the whole bundle, with the set. */
  readonly lock: Uint8Array;
  /** The images that it names. */
  readonly roots: readonly SettledRoot[];
  /** Of the tags of all volumes: an image that is in another one may own a tag. */
  readonly owners: ReturnType<typeof tagOwners>;
  /** As `assumedDigests` returns them for the plan. */
  readonly assumed: ReadonlySet<Digest>;
}

interface MetadataOptions {
  /** The platform of an index that `manifest.json` names: it can name one per image. */
  readonly platform: Platform;
  /** "oci" has no `manifest.json`, "docker" has nothing else. */
  readonly format: "universal" | "oci" | "docker";
  /** What the lock says in addition to the plan. */
  readonly lock: LockSettings;
  /** Signs the lock. Default: the archive has no signature. */
  readonly signLock?: SignLock | undefined;
  /** Only of a volume. */
  readonly volume?: VolumeMetadata | undefined;
  /** Entries of `index.json` after those of the images. */
  readonly referrers: readonly Descriptor[];
  /** Entry names of configs and layers. */
  readonly nameOf: (digest: Digest) => string;
}

/**
 * The JSON files at the start of an archive, in order; none for a docker archive without an image. Keys and roots are
 * sorted, so that the same images give the same bytes.
 */
export function buildMetadata(plan: CopyPlan, options: MetadataOptions): readonly MetadataFile[] {
  const { format } = options;
  const roots = sortedRoots(plan, options.volume);
  const entries = roots.flatMap(({ entries, descriptor }) =>
    entries.length === 0 ? [descriptor] : entries.map(entry => named(descriptor, entry)),
  );
  const layout = [
    { name: LAYOUT_FILE, bytes: encode(LAYOUT_HEADER) },
    { name: INDEX_FILE, bytes: buildImageIndex([...entries, ...options.referrers]).bytes },
  ];
  const manifest = format === "oci" ? undefined : dockerManifest(plan, options);
  // Loaders fail at a volume without the file, and load nothing from an empty list (measured with docker 20, podman 4.3).
  const none =
    options.volume === undefined || format !== "universal" ? [] : [{ name: DOCKER_MANIFEST_FILE, bytes: encode("[]") }];
  const docker = manifest === undefined ? none : [{ name: DOCKER_MANIFEST_FILE, bytes: manifest }];
  if (format === "docker") return docker;
  const lock = options.volume?.lock ?? encode(formatLock(planLock(plan, options.lock)));
  const signature = options.signLock?.(lock);
  const signed = signature === undefined ? [] : [{ name: SIGNATURE_FILE, bytes: signature.bytes, signature }];
  return [...layout, ...docker, { name: LOCK_FILE, bytes: lock }, ...signed];
}

export interface DockerImagePlan {
  /** Of the manifest. */
  readonly descriptor: Descriptor;
  readonly view: ImageView;
}

/**
 * The image that a docker loader gets: the manifest itself, or the best match of an index, or else its first image.
 * Undefined for an artifact, and for an image with a foreign layer that is left out: those are in `index.json` only,
 * because loaders fail at what they cannot unpack, and then load nothing.
 */
export function dockerImage(plan: CopyPlan, descriptor: Descriptor, platform: Platform): DockerImagePlan | undefined {
  return firstImage(plan, descriptor, platform, new Set());
}

/** @param seen manifests without such an image: each is visited once (security case M-07). */
function firstImage(
  plan: CopyPlan,
  { digest }: Descriptor,
  platform: Platform,
  seen: Set<Digest>,
): DockerImagePlan | undefined {
  const planned = plan.manifests.get(digest);
  if (planned === undefined || seen.has(digest)) return undefined;
  seen.add(digest);
  const { descriptor, view } = planned;
  if (view.kind === "image") return isArtifact(view) || lacksLayer(plan, view) ? undefined : { descriptor, view };
  if (view.kind === "other") return undefined;
  const present = view.manifests.filter(({ digest }) => plan.manifests.has(digest));
  const best = selectPlatform(present, platform);
  const ordered = best === undefined ? present : [best, ...present];
  for (const child of ordered) {
    const image = firstImage(plan, child, platform, seen);
    if (image !== undefined) return image;
  }
  return undefined;
}

/** What `dockerImage` did not find, for messages. */
export function notLoadable({ leftOut = [] }: CopyPlan): string {
  return leftOut.length === 0 ? "not an image" : "not an image with all its layers";
}

function lacksLayer({ leftOut = [] }: CopyPlan, { layers }: ImageView): boolean {
  return leftOut.some(({ digest }) => layers.some(layer => layer.digest === digest));
}

interface NamedRoot {
  readonly names: readonly string[];
  readonly entries: readonly EntryName[];
  readonly descriptor: Descriptor;
}

function sortedRoots(plan: CopyPlan, volume?: VolumeMetadata): readonly NamedRoot[] {
  const settled = volume?.roots ?? plan.roots.filter(root => root.kind === "settled");
  const owners = volume?.owners ?? rootOwners(settled);
  return settled
    .map(({ names, descriptor }) => {
      const id = descriptor.digest;
      return { names: [...names].sort(), descriptor, entries: entryNames({ id, names }, owners) };
    })
    .sort(
      (left, right) =>
        compare(left.names[0] ?? "", right.names[0] ?? "") || compare(left.descriptor.digest, right.descriptor.digest),
    );
}

/** Which image each tag means. */
export function rootOwners(roots: readonly SettledRoot[]): ReturnType<typeof tagOwners> {
  return tagOwners(roots.map(({ names, descriptor }) => ({ id: descriptor.digest, names })));
}

/** `manifest.json`; undefined without an image. */
export function dockerManifest(
  plan: CopyPlan,
  { platform, nameOf, volume }: Pick<MetadataOptions, "platform" | "nameOf" | "volume">,
): Uint8Array | undefined {
  const images = dockerImages(plan, platform, volume).map(({ entries, image }) => {
    // Docker and podman refuse the archive for a name without a tag, or with a digest.
    const tagged = entries.flatMap(({ name }) => (tagNameOf(name) === name ? [name] : []));
    return {
      Config: nameOf(image.view.config.digest),
      RepoTags: tagged.length === 0 ? null : tagged,
      Layers: image.view.layers.map(({ digest }) => nameOf(digest)),
    };
  });
  return images.length === 0 ? undefined : encode(JSON.stringify(images));
}

/** The assumed layers that `manifest.json` names. */
export function dockerAssumed(plan: CopyPlan, platform: Platform, volume?: VolumeMetadata): readonly Digest[] {
  const assumed = volume?.assumed ?? assumedDigests(plan);
  if (assumed.size === 0) return [];
  const layers = dockerImages(plan, platform, volume).flatMap(({ image }) =>
    image.view.layers.map(({ digest }) => digest),
  );
  return [...new Set(layers)].filter(digest => assumed.has(digest)).sort();
}

function dockerImages(
  plan: CopyPlan,
  platform: Platform,
  volume: VolumeMetadata | undefined,
): readonly (NamedRoot & { readonly image: DockerImagePlan })[] {
  return sortedRoots(plan, volume).flatMap(root => {
    const image = dockerImage(plan, root.descriptor, platform);
    return image === undefined ? [] : [{ ...root, image }];
  });
}

/** Of layers that the other side has. */
export function assumedDigests({ assumed = [] }: CopyPlan): ReadonlySet<Digest> {
  return new Set(assumed.map(({ descriptor }) => descriptor.digest));
}

/** Both annotations: containerd reads the full name, others take the tag. */
function named(descriptor: Descriptor, { name, tag }: EntryName): Descriptor {
  const names = { [ANNOTATION_IMAGE_NAME]: name, ...(tag === undefined ? {} : { [ANNOTATION_REF_NAME]: tag }) };
  return { ...descriptor, annotations: { ...descriptor.annotations, ...names } };
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
