import { InternalError } from "../errors.ts";
import type { Descriptor } from "./descriptor.ts";
import type { RawManifest } from "./manifest.ts";
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  toDockerLayerType,
  toOciLayerType,
} from "./media-types.ts";
import type { Platform } from "./platform.ts";

/**
 * A schema 2 manifest as compact JSON with fields in Docker's order. Config and layers get Docker's media types.
 *
 * @throws InternalError for a layer without such a type: zstd layers need an OCI manifest.
 */
export function buildDockerManifest(config: Descriptor, layers: readonly Descriptor[]): RawManifest {
  return encode(DOCKER_MANIFEST, {
    config: dockerDescriptor({ ...config, mediaType: DOCKER_CONFIG }),
    layers: layers.map(layer => {
      const mediaType = toDockerLayerType(layer.mediaType);
      if (mediaType === undefined) {
        throw new InternalError(
          `Cannot build Docker manifest from layers: found ${layer.mediaType}, expected raw or gzip layers`,
        );
      }
      return dockerDescriptor({ ...layer, mediaType });
    }),
  });
}

/** An OCI image manifest as compact JSON. Config and layers get OCI media types. */
export function buildImageManifest(
  config: Descriptor,
  layers: readonly Descriptor[],
  annotations?: Readonly<Record<string, string>>,
): RawManifest {
  const mediaType = config.mediaType === DOCKER_CONFIG ? OCI_CONFIG : config.mediaType;
  return encode(OCI_MANIFEST, {
    config: ociDescriptor({ ...config, mediaType }),
    layers: layers.map(layer =>
      ociDescriptor({ ...layer, mediaType: toOciLayerType(layer.mediaType) ?? layer.mediaType }),
    ),
    ...(annotations === undefined ? {} : { annotations: sortedByKey(annotations) }),
  });
}

/** An OCI index, or the `index.json` of a layout, as compact JSON with manifests in the given order. */
export function buildImageIndex(
  manifests: readonly Descriptor[],
  annotations?: Readonly<Record<string, string>>,
): RawManifest {
  return encode(OCI_INDEX, {
    manifests: manifests.map(ociDescriptor),
    ...(annotations === undefined ? {} : { annotations: sortedByKey(annotations) }),
  });
}

function encode(mediaType: string, content: object): RawManifest {
  return { mediaType, bytes: new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, mediaType, ...content })) };
}

/** A descriptor with fields in Docker's order, without annotations, which its readers do not know. */
function dockerDescriptor({ mediaType, size, digest, urls }: Descriptor): object {
  return { mediaType, size, digest, ...(urls === undefined ? {} : { urls }) };
}

/** A descriptor with fields in the order of image-spec descriptor.md and sorted annotations: equal content, equal bytes. */
function ociDescriptor({ mediaType, digest, size, urls, annotations, platform, artifactType }: Descriptor): object {
  return {
    mediaType,
    digest,
    size,
    ...(urls === undefined ? {} : { urls }),
    ...(annotations === undefined ? {} : { annotations: sortedByKey(annotations) }),
    ...(platform === undefined ? {} : { platform: encodePlatform(platform) }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

function encodePlatform({ architecture, os, osVersion, osFeatures, variant }: Platform): object {
  return {
    architecture,
    os,
    ...(osVersion === undefined ? {} : { "os.version": osVersion }),
    ...(osFeatures === undefined ? {} : { "os.features": osFeatures }),
    ...(variant === undefined ? {} : { variant }),
  };
}

function sortedByKey(map: Readonly<Record<string, string>>): object {
  const result: Record<string, string> = Object.create(null);
  for (const key of Object.keys(map).sort()) result[key] = map[key] ?? "";
  return result;
}
