import { readMetadata } from "../../archive/archive.ts";
import type { ArchiveSource } from "../../archive/open-archive.ts";
import type { Root } from "../../content/contracts.ts";
import { gather } from "../../copy/gather.ts";
import { ArchiveError, IntegrityError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { DOCKER_MANIFEST_FILE, parseDockerManifest } from "../../oci/docker-manifest.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../../oci/layout.ts";
import { MAX_ARCHIVE_INDEX_BYTES } from "../../oci/limits.ts";
import {
  isImageConfigType,
  isIndexType,
  isLayerType,
  type LayerCompression,
  layerCompression,
} from "../../oci/media-types.ts";
import { hostPlatform, matchesPlatform, parsePlatform } from "../../oci/platform.ts";
import type { InspectedImage } from "../shared/describe-images.ts";
import type { LoadFacts, OciFacts } from "./loader-verdicts.ts";

/**
 * What a loader would meet in an archive.
 *
 * @param images as its roots describe them, artifacts included.
 * @param broken images of which nothing can run.
 */
export async function loadFacts(
  source: ArchiveSource,
  images: readonly InspectedImage[],
  broken: number,
  signal: AbortSignal | undefined,
): Promise<LoadFacts> {
  const { archive, docker, form } = source;
  const real = images.filter(isImage);
  return {
    outer: archive.isFolder === true ? "folder" : archive.compression,
    hasDockerView: docker !== undefined,
    isDir: form === "dir",
    isLegacy: form === "legacy",
    hasRepositories: archive.entries.has("repositories"),
    images: real.length,
    broken,
    layers: await layerKinds(source, images),
    hasHardLinks: [...archive.entries.values()].some(({ type }) => type === "hardlink"),
    hasDotNames: await hasDotNames(source, signal),
    nameless: real.filter(({ names }) => names.length === 0).length,
    oci: await ociFacts(source, real, signal),
  };
}

/** What could not be read may have been one. */
export function isImage({ platforms }: Pick<InspectedImage, "platforms">): boolean {
  return platforms.length === 0 || platforms.some(({ platform }) => platform !== undefined);
}

/** By content: what a media type says is not what a loader meets. */
async function layerKinds(
  source: ArchiveSource,
  images: readonly InspectedImage[],
): Promise<ReadonlySet<LayerCompression>> {
  const kinds = new Set<LayerCompression>();
  for (const { platforms } of images) {
    for (const { digest, mediaType } of platforms.flatMap(({ layers }) => layers)) {
      if (!isLayerType(mediaType)) continue;
      const entry = source.entryOf(digest);
      const content = entry === undefined ? layerCompression(mediaType) : await source.archive.compressionOf(entry);
      kinds.add(content ?? "none");
    }
  }
  return kinds;
}

async function hasDotNames({ archive, docker }: ArchiveSource, signal: AbortSignal | undefined): Promise<boolean> {
  if (docker === undefined) return false;
  const bytes = await readMetadata(archive, DOCKER_MANIFEST_FILE, MAX_ARCHIVE_INDEX_BYTES, signal);
  const names = parseDockerManifest(bytes, archive.what).flatMap(({ config, layers }) => [config, ...layers]);
  return names.some(name => name.startsWith("./"));
}

async function ociFacts(
  source: ArchiveSource,
  images: readonly InspectedImage[],
  signal: AbortSignal | undefined,
): Promise<OciFacts | undefined> {
  const { oci, docker, archive } = source;
  if (oci === undefined || !archive.entries.has(INDEX_FILE)) return undefined;
  const { roots, view } = oci.index;
  const read = await readRoots(
    source,
    roots.map(({ descriptor }) => descriptor),
    signal,
  );
  const layersOf = new Map<Digest, readonly Digest[]>();
  for (const { view } of read.values()) {
    if (view.kind === "image")
      layersOf.set(
        view.config.digest,
        view.layers.map(({ digest }) => digest),
      );
  }
  const ofDocker = docker?.images ?? [];
  // Some writers list the children of an index beside it: they are found through it.
  const below = new Set(
    [...read.values()].flatMap(({ view }) => (view.kind === "index" ? view.manifests : [])).map(({ digest }) => digest),
  );
  const tops = roots.filter(({ descriptor }) => !below.has(descriptor.digest));
  const unnamed = tops.filter(({ descriptor, names }) => {
    const view = read.get(descriptor.digest)?.view;
    return names.length === 0 && !(view?.kind === "image" && !isImageConfigType(view.config.mediaType));
  });
  return {
    hasLayoutFile: archive.entries.has(LAYOUT_FILE),
    entries: view.manifests.length,
    nameless: unnamed.filter(({ tags }) => tags.length === 0).length,
    tagOnly: unnamed.filter(({ tags }) => tags.length > 0).length,
    otherPlatforms:
      images.filter(({ mediaType, platforms }) => isIndexType(mediaType) && !hasOwnPlatform(platforms)).length +
      // A manifest is asked only where its entry tells the platform.
      tops.filter(({ descriptor: { mediaType, platform } }) => {
        return platform !== undefined && !isIndexType(mediaType) && !matchesPlatform(hostPlatform(), platform);
      }).length,
    nested: roots.filter(({ descriptor }) => {
      const view = read.get(descriptor.digest)?.view;
      return view?.kind === "index" && view.manifests.every(({ mediaType }) => isIndexType(mediaType));
    }).length,
    unlisted: ofDocker.filter(({ config }) => !layersOf.has(config.digest)).length,
    contradicted: ofDocker.filter(({ config, diffIds, isClassic }) => {
      const layers = layersOf.get(config.digest);
      // Where layers are compressed, their digests say nothing about the order.
      return layers !== undefined && (isClassic ? layers.join() !== diffIds.join() : layers.length !== diffIds.length);
    }).length,
    hasSha512: [...read.keys(), ...layersOf.keys(), ...[...layersOf.values()].flat()].some(isSha512),
  };
}

/** Nothing when a manifest is damaged: what is wrong with it is said elsewhere. */
async function readRoots(
  source: ArchiveSource,
  descriptors: readonly Descriptor[],
  signal: AbortSignal | undefined,
): ReturnType<typeof readManifests> {
  const all: Awaited<ReturnType<typeof readManifests>>[] = [];
  for (const descriptor of descriptors) {
    try {
      all.push(await readManifests(source, descriptor, signal));
    } catch (error) {
      if (!(error instanceof ArchiveError || error instanceof IntegrityError)) throw error;
    }
  }
  return new Map(all.flatMap(manifests => [...manifests]));
}

async function readManifests(source: ArchiveSource, descriptor: Descriptor, signal: AbortSignal | undefined) {
  const root: Root = { kind: "settled", names: [], descriptor };
  const { manifests } = await gather(source, [root], signal, undefined, () => undefined);
  return manifests;
}

function hasOwnPlatform(platforms: InspectedImage["platforms"]): boolean {
  const own = hostPlatform();
  return platforms.some(({ platform }) => platform !== undefined && matchesPlatform(own, parsePlatform(platform)));
}

function isSha512(digest: Digest): boolean {
  return digest.startsWith("sha512:");
}
