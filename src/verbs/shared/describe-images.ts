import type { CopyPlan, ImageSource, Root } from "../../content/contracts.ts";
import { readBlob } from "../../content/pump.ts";
import { verified } from "../../content/verified.ts";
import { addReferrers } from "../../copy/add-referrers.ts";
import { gather } from "../../copy/gather.ts";
import { manifestsBelow } from "../../copy/manifests-below.ts";
import { isMissingBlob } from "../../errors.ts";
import { type Descriptor, platformLabel } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { foreignLayerHosts } from "../../oci/foreign-layer.ts";
import { type HistoryEntry, type ImageConfig, parseImageConfig, type RuntimeConfig } from "../../oci/image-config.ts";
import { type ImageParts, isArtifact } from "../../oci/is-artifact.ts";
import { MAX_CONFIG_BYTES } from "../../oci/limits.ts";
import { formatPlatform } from "../../oci/platform.ts";
import { hasSome, type ReferrersSummary, referrersSummary } from "../referrers/referrers-summary.ts";

/** A layer of an image. */
export interface InspectedLayer {
  /** Of the layer as stored. */
  readonly digest: Digest;
  /** Bytes as stored. */
  readonly size: number;
  readonly mediaType: string;
  /** Digest of the uncompressed layer, from the config; absent for artifacts. */
  readonly diffId?: Digest;
  /** Only of a foreign layer that the source lacks: the hosts where its publisher has it. */
  readonly absentFrom?: readonly string[];
}

/** A layer of an image in a v1 registry, where layers have ids and no digests. */
export interface InspectedV1Layer {
  /** 64 hex digits. */
  readonly id: string;
  /** Bytes as stored, as the registry states them. */
  readonly size?: number;
}

/** An image for one platform. */
export interface InspectedPlatform {
  /** `os/architecture[/variant]`; absent for artifacts. */
  readonly platform?: string;
  /** Of the manifest; absent in a docker archive with raw layers, which has no manifest yet. */
  readonly digest?: Digest;
  /** Absent in a manifest of another type than an image's. */
  readonly config?: Digest;
  /** RFC 3339, as written in the config. */
  readonly created?: string;
  /** Base first. Of an artifact manifest, its blobs. */
  readonly layers: readonly InspectedLayer[];
  /** Base first. Only of an image in a v1 registry, in place of `layers`. */
  readonly v1Layers?: readonly InspectedV1Layer[];
  /** Oldest step first. */
  readonly history: readonly HistoryEntry[];
  /** Absent for artifacts. */
  readonly runtime?: RuntimeConfig;
}

/** An image or index. */
export interface InspectedImage {
  /** Full names, with a tag or a digest; empty for an image without a name. */
  readonly names: readonly string[];
  /** What an archive has in place of names, and no registry takes as one, as found. Absent if there is nothing. */
  readonly badNames?: readonly string[];
  /** Of the manifest or index; absent in a docker archive with raw layers. */
  readonly digest?: Digest;
  readonly mediaType: string;
  /** Only of an image in a v1 registry: the id of its top layer. */
  readonly v1Id?: string;
  /** One per image; one for a manifest that is no index. */
  readonly platforms: readonly InspectedPlatform[];
  /** What refers to the image, in the same archive. Absent for one without, and of a registry. */
  readonly referrers?: ReferrersSummary;
  /** Manifests that the index names and the source does not contain: their platforms, or else their digests. */
  readonly absent: readonly string[];
}

/** Describes the roots of a source by their manifests and configs, and names absent children of an index. */
export async function describeImages(
  source: ImageSource,
  roots: readonly Root[],
  signal: AbortSignal | undefined,
  onNote: (message: string) => void = () => undefined,
): Promise<readonly InspectedImage[]> {
  const absent = new Map<Digest, string>();
  const plan = await gather(source, roots, signal, undefined, descriptor =>
    absent.set(descriptor.digest, platformLabel(descriptor)),
  );
  const whole = await addReferrers(source, plan, { originals: roots, onNote, signal });
  const images: InspectedImage[] = [];
  for (const [index, root] of roots.entries()) {
    const { found = [], leftOut = 0, lookup } = whole.roots[index]?.referrers ?? {};
    const summary = referrersSummary(whole, whole.roots[index] ?? root);
    const isKnown = found.length + leftOut > 0 || lookup !== undefined || hasSome(summary);
    const referrers = isKnown ? summary : undefined;
    const described = await describeRoot(source, root, plan, absent, signal);
    images.push({ ...described, ...(referrers === undefined ? {} : { referrers }) });
  }
  return images;
}

async function describeRoot(
  source: ImageSource,
  root: Root,
  plan: CopyPlan,
  absent: ReadonlyMap<Digest, string>,
  signal: AbortSignal | undefined,
): Promise<InspectedImage> {
  if (root.kind === "draft") {
    const { mediaType, config } = root.draft;
    const layers = root.draft.layers.flatMap(layer => ("key" in layer ? [] : [layer]));
    const platform = await describeImage(source, undefined, { config, layers }, plan, signal);
    return { ...namesOf(root), mediaType, platforms: [platform], absent: [] };
  }
  const manifests = new Map([...manifestsBelow(plan, root.descriptor)].map(one => [one.descriptor.digest, one]));
  const platforms: InspectedPlatform[] = [];
  const absentHere: string[] = [];
  const { digest, mediaType } = root.descriptor;
  for (const { descriptor, view } of manifests.values()) {
    if (view.kind === "index") continue;
    if (view.kind === "other") {
      platforms.push({ digest: descriptor.digest, layers: view.blobs.map(blob => layerOf(blob)), history: [] });
      continue;
    }
    try {
      platforms.push(await describeImage(source, descriptor.digest, view, plan, signal));
    } catch (error) {
      // Docker's containerd store saves the manifest alone if it does not have the platform.
      if (descriptor.digest === digest || !isMissingBlob(error)) throw error;
      absentHere.push(platformLabel(descriptor));
    }
  }
  const view = plan.manifests.get(digest)?.view;
  const children = view?.kind === "index" ? view.manifests : [];
  return {
    ...namesOf(root),
    digest,
    mediaType,
    platforms,
    absent: [...children.flatMap(child => absent.get(child.digest) ?? []), ...absentHere],
  };
}

/** The names of a root, as found. */
export function namesOf({
  names,
  badNames = [],
}: Pick<Root, "names" | "badNames">): Pick<InspectedImage, "names" | "badNames"> {
  return { names, ...(badNames.length > 0 ? { badNames } : {}) };
}

function layerOf({ digest, size, mediaType }: Descriptor, diffId?: Digest): InspectedLayer {
  return { digest, size, mediaType, ...(diffId === undefined ? {} : { diffId }) };
}

async function describeImage(
  source: ImageSource,
  digest: Digest | undefined,
  image: ImageParts,
  { leftOut }: CopyPlan,
  signal: AbortSignal | undefined,
): Promise<InspectedPlatform> {
  const { config, layers } = image;
  const view = isArtifact(image) ? undefined : await readConfig(source, config, signal);
  return {
    ...(view === undefined ? {} : { platform: formatPlatform(view) }),
    ...(digest === undefined ? {} : { digest }),
    config: config.digest,
    ...(view?.created === undefined ? {} : { created: view.created }),
    layers: layers.map((layer, index) => {
      const isAbsent = leftOut?.some(absent => absent.digest === layer.digest) === true;
      return { ...layerOf(layer, view?.diffIds[index]), ...(isAbsent ? { absentFrom: foreignLayerHosts(layer) } : {}) };
    }),
    history: view?.history ?? [],
    ...(view === undefined ? {} : { runtime: view.runtime }),
  };
}

async function readConfig(
  source: ImageSource,
  config: Descriptor,
  signal: AbortSignal | undefined,
): Promise<ImageConfig> {
  const where = `config ${config.digest}`;
  const blob = verified(config, await source.blob(config, signal), where);
  const bytes = await readBlob(blob, MAX_CONFIG_BYTES, signal);
  return parseImageConfig(bytes, where);
}
