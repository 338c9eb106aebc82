export const DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
export const DOCKER_MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
export const DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json";
export const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar";
export const DOCKER_LAYER_GZIP = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/** Only containerd supports it; all other readers need an OCI manifest for zstd layers. */
export const DOCKER_LAYER_ZSTD = "application/vnd.docker.image.rootfs.diff.tar.zstd";
export const DOCKER_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar";
export const DOCKER_FOREIGN_LAYER_GZIP = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
export const DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+json";
export const DOCKER_SCHEMA1_SIGNED = "application/vnd.docker.distribution.manifest.v1+prettyjws";

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
/** Of the release candidates of image-spec 1.1; registries still have such manifests. */
export const OCI_ARTIFACT_MANIFEST = "application/vnd.oci.artifact.manifest.v1+json";
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
export const OCI_LAYER = "application/vnd.oci.image.layer.v1.tar";
export const OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";
export const OCI_LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd";
export const OCI_FOREIGN_LAYER = "application/vnd.oci.image.layer.nondistributable.v1.tar";
export const OCI_FOREIGN_LAYER_GZIP = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
export const OCI_FOREIGN_LAYER_ZSTD = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd";
export const OCI_EMPTY = "application/vnd.oci.empty.v1+json";
export const IN_TOTO = "application/vnd.in-toto+json";

/** The Accept header of a manifest request. It leaves schema 1 out: otherwise some registries convert to it unasked. */
export const MANIFEST_ACCEPT: readonly string[] = [
  OCI_INDEX,
  OCI_MANIFEST,
  DOCKER_MANIFEST_LIST,
  DOCKER_MANIFEST,
  OCI_ARTIFACT_MANIFEST,
];

/** The Accept header of a request for a manifest of any type: known types first, as containerd asks. */
export const ANY_ACCEPT: readonly string[] = [...MANIFEST_ACCEPT, "*/*"];

/** Docker loads such layers, but no media type is registered for them: these two are internal, never in a manifest. */
export const DOCKER_LAYER_XZ = "application/vnd.docker.image.rootfs.diff.tar.xz";
export const DOCKER_LAYER_BZIP2 = "application/vnd.docker.image.rootfs.diff.tar.bzip2";

export type LayerCompression = "none" | "gzip" | "zstd" | "xz" | "bzip2";

interface LayerFamily {
  readonly family: "docker" | "oci";
  readonly foreign: boolean;
  readonly types: Readonly<Partial<Record<LayerCompression, string>>>;
}

const FAMILIES: readonly LayerFamily[] = [
  {
    family: "docker",
    foreign: false,
    types: {
      none: DOCKER_LAYER,
      gzip: DOCKER_LAYER_GZIP,
      zstd: DOCKER_LAYER_ZSTD,
      xz: DOCKER_LAYER_XZ,
      bzip2: DOCKER_LAYER_BZIP2,
    },
  },
  { family: "docker", foreign: true, types: { none: DOCKER_FOREIGN_LAYER, gzip: DOCKER_FOREIGN_LAYER_GZIP } },
  { family: "oci", foreign: false, types: { none: OCI_LAYER, gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD } },
  {
    family: "oci",
    foreign: true,
    types: { none: OCI_FOREIGN_LAYER, gzip: OCI_FOREIGN_LAYER_GZIP, zstd: OCI_FOREIGN_LAYER_ZSTD },
  },
];
const COMPRESSIONS: readonly LayerCompression[] = ["none", "gzip", "zstd", "xz", "bzip2"];

const LAYERS: ReadonlyMap<string, { readonly family: LayerFamily; readonly compression: LayerCompression }> = new Map(
  FAMILIES.flatMap(family =>
    COMPRESSIONS.flatMap(compression => {
      const mediaType = family.types[compression];
      return mediaType === undefined ? [] : [[mediaType, { family, compression }] as const];
    }),
  ),
);

export function isImageManifestType(mediaType: string): boolean {
  return mediaType === DOCKER_MANIFEST || mediaType === OCI_MANIFEST;
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === DOCKER_MANIFEST_LIST || mediaType === OCI_INDEX;
}

/** A manifest or an index, of Docker or OCI; not schema 1. */
export function isManifestType(mediaType: string): boolean {
  return isImageManifestType(mediaType) || isIndexType(mediaType) || mediaType === OCI_ARTIFACT_MANIFEST;
}

/**
 * Whether a document of this type may be a manifest: a media type of JSON, as RFC 6838 section 4.2 spells names. The
 * text is foreign, and goes into headers.
 */
export function mayBeManifestType(mediaType: string): boolean {
  return /^application\/[a-z0-9][a-z0-9!#$&^_.+-]{0,120}\+json$/i.test(mediaType);
}

export function isSchema1Type(mediaType: string): boolean {
  return mediaType === DOCKER_SCHEMA1 || mediaType === DOCKER_SCHEMA1_SIGNED;
}

/** The config of an image with a root filesystem, not that of a chart, a signature or another artifact. */
export function isImageConfigType(mediaType: string): boolean {
  return mediaType === DOCKER_CONFIG || mediaType === OCI_CONFIG;
}

/** A root filesystem layer in any compression, foreign ones included. */
export function isLayerType(mediaType: string): boolean {
  return LAYERS.has(mediaType);
}

/** A layer that its publisher asks not to push ("foreign", "nondistributable"). */
export function isForeignLayerType(mediaType: string): boolean {
  return LAYERS.get(mediaType)?.family.foreign ?? false;
}

/** The compression that the media type claims; undefined if it is not a layer type. */
export function layerCompression(mediaType: string): LayerCompression | undefined {
  return LAYERS.get(mediaType)?.compression;
}

/** The media type of the same layer in another compression; undefined if no such type is registered. */
export function withLayerCompression(mediaType: string, compression: LayerCompression): string | undefined {
  return LAYERS.get(mediaType)?.family.types[compression];
}

/** The media type of the same layer in gzip; undefined if `mediaType` is not a layer type. */
export function toGzipLayerType(mediaType: string): string | undefined {
  return withLayerCompression(mediaType, "gzip");
}

/** Docker's media type for the same layer; undefined if its readers know none (zstd, artifacts). */
export function toDockerLayerType(mediaType: string): string | undefined {
  return toFamily(mediaType, "docker");
}

/** OCI's media type for the same layer; undefined if `mediaType` is not a layer type. */
export function toOciLayerType(mediaType: string): string | undefined {
  return toFamily(mediaType, "oci");
}

function toFamily(mediaType: string, wanted: LayerFamily["family"]): string | undefined {
  const layer = LAYERS.get(mediaType);
  const isKnownToDocker = layer?.compression === "none" || layer?.compression === "gzip";
  if (layer === undefined || (wanted === "docker" && !isKnownToDocker)) return undefined;
  const target = FAMILIES.find(({ family, foreign }) => family === wanted && foreign === layer.family.foreign);
  return target?.types[layer.compression];
}
