import type { ArchiveSource } from "../../archive/open-archive.ts";
import type { DockerImage, DockerView } from "../../archive/read/docker-view.ts";
import { inFileOrder } from "../../archive/read/in-file-order.ts";
import type { CopyPlan, Root } from "../../content/contracts.ts";
import { gather } from "../../copy/gather.ts";
import { ArchiveError, IntegrityError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { DOCKER_MANIFEST_FILE } from "../../oci/docker-manifest.ts";
import { isArtifact } from "../../oci/is-artifact.ts";
import { INDEX_FILE, LAYOUT_FILE, type LayoutRoot } from "../../oci/layout.ts";
import { REPOSITORIES_FILE } from "../../oci/legacy/legacy-names.ts";
import {
  isForeignLayerType,
  isIndexType,
  isLayerType,
  type LayerCompression,
  layerCompression,
} from "../../oci/media-types.ts";
import { hostPlatform, matchesPlatform, parsePlatform } from "../../oci/platform.ts";
import type { InspectedImage } from "../shared/describe-images.ts";
import type { LoadFacts, OciFacts } from "./loader-verdicts.ts";
import { oddNames } from "./odd-names.ts";

type Manifests = CopyPlan["manifests"];

/**
 * What a loader would find in an archive.
 *
 * @param read as `readRoots` returns them.
 * @param images as its roots describe them, artifacts included.
 * @param broken images of which nothing can run.
 */
export async function loadFacts(
  source: ArchiveSource,
  read: Manifests,
  images: readonly InspectedImage[],
  broken: number,
): Promise<LoadFacts> {
  const { archive, docker, dialect } = source;
  const real = images.filter(isImage);
  return {
    outer: archive.isFolder === true ? "folder" : archive.compression,
    hasDockerView: docker !== undefined,
    dockerManifestBytes: archive.entries.get(DOCKER_MANIFEST_FILE)?.size ?? 0,
    isDir: dialect === "dir",
    isLegacy: dialect === "legacy",
    hasRepositories: archive.entries.has(REPOSITORIES_FILE),
    images: real.length,
    broken,
    layers: await layerKinds(source, images),
    foreign: real.filter(hasForeignLayer).length,
    lacksForeign: real.filter(lacksForeignLayer).length,
    hasHardLinks: [...archive.entries.values()].some(({ type }) => type === "hardlink"),
    hasDotNames: docker?.hasDotNames === true,
    listedArtifacts: listedArtifacts(docker, read),
    names: oddNames(docker?.images ?? []),
    nameless: real.filter(({ names }) => names.length === 0).length,
    oci: ociFacts(source, real, read),
  };
}

/** Also true of an image that could not be read. */
export function isImage({ platforms }: Pick<InspectedImage, "platforms">): boolean {
  return platforms.length === 0 || platforms.some(({ platform }) => platform !== undefined);
}

function hasForeignLayer({ platforms }: InspectedImage): boolean {
  return platforms.some(({ layers }) => layers.some(({ mediaType }) => isForeignLayerType(mediaType)));
}

/** True if a foreign layer of each of its platforms is absent. */
function lacksForeignLayer({ platforms }: InspectedImage): boolean {
  const runnable = platforms.filter(({ platform }) => platform !== undefined && !platform.startsWith("unknown/"));
  return (
    runnable.length > 0 && runnable.every(({ layers }) => layers.some(({ absentFrom }) => absentFrom !== undefined))
  );
}

/** By content: a loader does not trust media types. Each layer once, as they come in the file. */
async function layerKinds(
  source: ArchiveSource,
  images: readonly InspectedImage[],
): Promise<ReadonlySet<LayerCompression>> {
  const layers = new Map<Digest, string>();
  for (const { platforms } of images)
    for (const { digest, mediaType } of platforms.flatMap(({ layers }) => layers))
      if (isLayerType(mediaType)) layers.set(digest, mediaType);
  const kinds = new Set<LayerCompression>();
  const entryOf = ([digest]: [Digest, string]): ReturnType<ArchiveSource["entryOf"]> => source.entryOf(digest);
  const read = async (layer: [Digest, string]): Promise<LayerCompression | undefined> => {
    const entry = entryOf(layer);
    return entry === undefined ? layerCompression(layer[1]) : await source.archive.compressionOf(entry);
  };
  for (const kind of await inFileOrder([...layers], entryOf, read, undefined)) kinds.add(kind() ?? "none");
  return kinds;
}

/** Other writers list artifacts in manifest.json, too. */
function listedArtifacts(docker: DockerView | undefined, read: Manifests): number {
  const configs = new Set(
    [...read.values()].flatMap(({ view }) => (view.kind === "image" && isArtifact(view) ? [view.config.digest] : [])),
  );
  const alike = docker?.images.filter(({ config }) => configs.has(config.digest)) ?? [];
  return (docker?.artifacts ?? 0) + alike.length;
}

function ociFacts(source: ArchiveSource, images: readonly InspectedImage[], read: Manifests): OciFacts | undefined {
  const { oci, docker, archive } = source;
  if (oci === undefined || !archive.entries.has(INDEX_FILE)) return undefined;
  const { roots, view } = oci.index;
  const layersOf = layersByConfig(read);
  const tops = topRoots(roots, read);
  const unnamed = tops.filter(({ descriptor, names }) => names.length === 0 && !isArtifactRoot(read, descriptor));
  const dockerImages = docker?.images ?? [];
  return {
    hasLayoutFile: archive.entries.has(LAYOUT_FILE),
    entries: view.manifests.length,
    names: oddNames(roots),
    artifacts: tops.filter(
      ({ descriptor, names, tags }) => names.length + tags.length > 0 && isArtifactRoot(read, descriptor),
    ).length,
    nameless: unnamed.filter(({ tags }) => tags.length === 0).length,
    tagOnly: unnamed.filter(({ tags }) => tags.length > 0).length,
    otherPlatforms: images.filter(isIndexOfOthers).length + tops.filter(isManifestOfOther).length,
    sparse: images.filter(({ absent }) => absent.length > 0).length,
    nested: roots.filter(({ descriptor }) => isIndexOfIndexes(read, descriptor)).length,
    unlisted: dockerImages.filter(({ config }) => !layersOf.has(config.digest)).length,
    contradicted: dockerImages.filter(image => isContradicted(image, layersOf)).length,
    hasSha512: [...read.keys(), ...layersOf.keys(), ...[...layersOf.values()].flat()].some(isSha512),
  };
}

function layersByConfig(read: Manifests): ReadonlyMap<Digest, readonly Digest[]> {
  const layersOf = new Map<Digest, readonly Digest[]>();
  for (const { view } of read.values()) {
    if (view.kind !== "image") continue;
    const layers = view.layers.map(({ digest }) => digest);
    layersOf.set(view.config.digest, layers);
  }
  return layersOf;
}

/** Some writers list the children of an index next to it: those are found through the index. */
function topRoots(roots: readonly LayoutRoot[], read: Manifests): readonly LayoutRoot[] {
  const children = new Set(
    [...read.values()].flatMap(({ view }) => (view.kind === "index" ? view.manifests : [])).map(({ digest }) => digest),
  );
  return roots.filter(({ descriptor }) => !children.has(descriptor.digest));
}

function isArtifactRoot(read: Manifests, { digest }: Descriptor): boolean {
  const view = read.get(digest)?.view;
  return view?.kind === "other" || (view?.kind === "image" && isArtifact(view));
}

function isIndexOfIndexes(read: Manifests, { digest }: Descriptor): boolean {
  const view = read.get(digest)?.view;
  return view?.kind === "index" && view.manifests.every(({ mediaType }) => isIndexType(mediaType));
}

/** Of platforms other than this machine's. */
function isIndexOfOthers({ mediaType, platforms }: InspectedImage): boolean {
  return isIndexType(mediaType) && !hasOwnPlatform(platforms);
}

/** Only an entry that names a platform is compared with this machine's. */
function isManifestOfOther({ descriptor: { mediaType, platform } }: LayoutRoot): boolean {
  return platform !== undefined && !isIndexType(mediaType) && !matchesPlatform(hostPlatform(), platform);
}

/** Whether index.json names other layers than manifest.json. Digests of compressed layers cannot be compared. */
function isContradicted(
  { config, diffIds, isClassic }: DockerImage,
  layersOf: ReadonlyMap<Digest, readonly Digest[]>,
): boolean {
  const layers = layersOf.get(config.digest);
  if (layers === undefined) return false;
  return isClassic ? layers.join() !== diffIds.join() : layers.length !== diffIds.length;
}

/** Manifests of all roots of `index.json`; none of a root with a damaged one, which `verify` reports. */
export async function readRoots(source: ArchiveSource, signal: AbortSignal | undefined): Promise<Manifests> {
  const roots = (source.oci?.index.roots ?? []).map(
    ({ descriptor }): Root => ({ kind: "settled", names: [], descriptor }),
  );
  const all = await manifestsOf(source, roots, signal);
  if (all !== undefined) return all;
  const found: Manifests[] = [];
  for (const root of roots) found.push((await manifestsOf(source, [root], signal)) ?? new Map());
  return new Map(found.flatMap(manifests => [...manifests]));
}

/** Undefined if one of them cannot be read, or if they are too many for one plan. */
async function manifestsOf(
  source: ArchiveSource,
  roots: readonly Root[],
  signal: AbortSignal | undefined,
): Promise<Manifests | undefined> {
  try {
    return (await gather(source, roots, signal, undefined, () => undefined)).manifests;
  } catch (error) {
    if (!(error instanceof ArchiveError || error instanceof IntegrityError)) throw error;
    return undefined;
  }
}

function hasOwnPlatform(platforms: InspectedImage["platforms"]): boolean {
  const own = hostPlatform();
  return platforms.some(({ platform }) => platform !== undefined && matchesPlatform(own, parsePlatform(platform)));
}

function isSha512(digest: Digest): boolean {
  return digest.startsWith("sha512:");
}
