import type { LayerProfile } from "../compress/layer-profile.ts";
import type { ImageSource, ManifestDraft, PendingBlob, PendingKey, Root, Seal } from "../content/contracts.ts";
import { derivedSource } from "../content/derived-source.ts";
import { isPending } from "../content/draft-manifest.ts";
import { readManifestBytes } from "../content/read-manifest-bytes.ts";
import { InternalError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { isArtifact } from "../oci/is-artifact.ts";
import { parseManifest } from "../oci/manifest.ts";
import {
  isForeignLayerType,
  isImageManifestType,
  layerCompression,
  OCI_MANIFEST,
  withLayerCompression,
} from "../oci/media-types.ts";
import { packLayer, wrongDiffId } from "./pack-layer.ts";

/**
 * Compresses raw layers while they are sent, as `docker push` does with gzip, and layers in a format that registries and
 * runtimes do not support (xz, bzip2); other compressed layers do not change. A settled image with such layers becomes a
 * draft: its digest changes, which the copy reports.
 *
 * @param seals layers that are compressed already, by their digest in the source.
 */
export function compressLayers(
  source: ImageSource,
  profile: LayerProfile,
  seals: ReadonlyMap<Digest, Seal> = new Map(),
): ImageSource {
  return derivedSource(source, {
    async *roots(signal) {
      for await (const root of source.roots(signal)) yield await compressRoot(source, root, profile, seals, signal);
    },
  });
}

/** Of a raw layer with this diff_id; also the digest cache's key. */
export function packedKey(diffId: Digest, profile: LayerProfile): PendingKey {
  return `pending:${diffId}+${profile.name}`;
}

async function compressRoot(
  source: ImageSource,
  root: Root,
  profile: LayerProfile,
  seals: ReadonlyMap<Digest, Seal>,
  signal: AbortSignal | undefined,
): Promise<Root> {
  const draft = root.kind === "draft" ? root.draft : await draftOf(source, root.descriptor, signal);
  if (draft === undefined || !draft.layers.some(layer => !isPending(layer) && isChanged(layer))) return root;
  const layers = draft.layers.map((layer, index) => {
    if (isPending(layer) || !isChanged(layer)) return layer;
    const mediaType = packedType(layer, profile);
    const seal = seals.get(layer.digest);
    if (seal !== undefined) {
      const wanted = draft.diffIds?.[index];
      if (wanted !== undefined && seal.diffId !== undefined && seal.diffId !== wanted)
        throw wrongDiffId("layer from archive", wanted, seal.diffId);
      return { ...seal.descriptor, mediaType };
    }
    const diffId = isRaw(layer) ? layer.digest : draft.diffIds?.[index];
    return pendingLayer(source, layer, mediaType, diffId, profile);
  });
  // A Docker manifest has no media type for zstd layers that all its readers know.
  const mediaType = profile.format === "zstd" ? OCI_MANIFEST : draft.mediaType;
  return { kind: "draft", names: root.names, badNames: root.badNames, draft: { ...draft, mediaType, layers } };
}

async function draftOf(
  source: ImageSource,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Promise<ManifestDraft | undefined> {
  if (!isImageManifestType(descriptor.mediaType)) return undefined;
  const bytes = await readManifestBytes(source, descriptor, `manifest ${descriptor.digest}`, signal);
  const view = parseManifest(bytes, { where: descriptor.digest, announced: descriptor.mediaType });
  // A draft has fewer fields than a manifest may have, and the layers of an artifact are no root filesystem.
  if (view.kind !== "image" || isArtifact(view) || view.subject !== undefined) return undefined;
  const { mediaType, config, layers, annotations } = view;
  return { mediaType, config, layers, ...(annotations === undefined ? {} : { annotations }) };
}

function isRaw({ mediaType }: Descriptor): boolean {
  return layerCompression(mediaType) === "none";
}

/** Not a foreign layer: its publisher has it as it is, and its URLs name those bytes. */
function isChanged({ mediaType }: Descriptor): boolean {
  if (isForeignLayerType(mediaType)) return false;
  const compression = layerCompression(mediaType);
  return compression === "none" || compression === "xz" || compression === "bzip2";
}

function pendingLayer(
  source: ImageSource,
  layer: Descriptor,
  mediaType: string,
  diffId: Digest | undefined,
  profile: LayerProfile,
): PendingBlob {
  const compression = layerCompression(layer.mediaType);
  const key = packedKey(diffId ?? layer.digest, profile);
  return {
    key,
    resumeKey: key,
    mediaType,
    what: `layer ${layer.digest}`,
    sourceBytes: layer.size,
    origin: layer,
    async open(signal, onBytes, from) {
      const blob = from ?? (await source.blob(layer, signal));
      return packLayer(blob, {
        mediaType,
        profile,
        diffId,
        signal,
        onBytes,
        what: "layer from archive",
        compression: compression === "none" ? undefined : compression,
      });
    },
  };
}

function packedType({ mediaType }: Descriptor, { format }: LayerProfile): string {
  const type = withLayerCompression(mediaType, format);
  if (type === undefined)
    throw new InternalError(`Cannot compress layer from archive: ${mediaType} has no ${format} variant`);
  return type;
}
