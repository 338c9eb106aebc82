import { InternalError } from "../errors.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../oci/annotations.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageView, IndexView, RawManifest } from "../oci/manifest.ts";
import {
  DOCKER_CONFIG,
  DOCKER_MANIFEST,
  DOCKER_MANIFEST_LIST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
  toOciLayerType,
  withLayerCompression,
} from "../oci/media-types.ts";
import { type TargetCompression, writtenCompression } from "./layers-to-recompress.ts";

/**
 * The manifest with recompressed layers; every other field as before. A Docker manifest becomes one of OCI for zstd: only
 * containerd knows Docker's media type for such layers.
 *
 * @param recompressed new digest and size, by the old digest.
 * @returns undefined if none of its layers changed.
 */
export function rewriteImage(
  bytes: Uint8Array,
  view: ImageView,
  recompressed: ReadonlyMap<Digest, { readonly digest: Digest; readonly size: number }>,
  target: TargetCompression,
): RawManifest | undefined {
  if (!view.layers.some(({ digest }) => recompressed.has(digest))) return undefined;
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as ImageJson;
  const layers = manifest.layers.map((entry, index) => {
    const layer = view.layers[index];
    const now = layer === undefined ? undefined : recompressed.get(layer.digest);
    if (layer === undefined || now === undefined) return entry;
    const mediaType = withLayerCompression(layer.mediaType, writtenCompression(target));
    if (mediaType === undefined)
      throw new InternalError(`Cannot rewrite manifest: ${layer.mediaType} has no ${target} variant`);
    // Keys in the writer's order. URLs and annotations (tables of contents, checksums) were about the old bytes.
    const fields = { mediaType, digest: now.digest, size: now.size };
    return Object.fromEntries(
      Object.keys(entry).flatMap(key => Object.entries(fields).filter(([name]) => name === key)),
    );
  });
  const rewritten = { ...manifest, layers };
  return view.mediaType === DOCKER_MANIFEST && target === "zstd"
    ? encode(OCI_MANIFEST, ociImage(rewritten))
    : encode(view.mediaType, rewritten);
}

interface ImageJson {
  readonly config: { readonly mediaType?: string };
  readonly layers: readonly { readonly mediaType?: string }[];
}

function ociImage(manifest: ImageJson): object {
  const { config, layers } = manifest;
  return {
    ...manifest,
    mediaType: OCI_MANIFEST,
    config: { ...config, mediaType: config.mediaType === DOCKER_CONFIG ? OCI_CONFIG : config.mediaType },
    layers: layers.map(layer => ({ ...layer, mediaType: toOciLayerType(layer.mediaType ?? "") ?? layer.mediaType })),
  };
}

/**
 * The index with the new digests of its manifests; every other field as before. A Docker manifest list becomes an OCI
 * index if one of its own manifests became one of OCI. Drops attestations of an image that changed: they are about the
 * old digest.
 *
 * @param changed new descriptors, by old digest.
 * @returns undefined if none of its manifests changed.
 */
export function rewriteIndex(
  bytes: Uint8Array,
  view: IndexView,
  changed: ReadonlyMap<Digest, Descriptor>,
  onNote: (message: string) => void,
): RawManifest | undefined {
  if (!view.manifests.some(({ digest }) => changed.has(digest))) return undefined;
  const index = JSON.parse(Buffer.from(bytes).toString("utf8")) as { manifests: readonly object[] };
  const stale = new Set<string>(changed.keys());
  const manifests = index.manifests.flatMap((entry, index) => {
    const child = view.manifests[index];
    if (child === undefined) return [entry];
    const about = child.annotations?.[ANNOTATION_REFERENCE_DIGEST];
    if (about !== undefined && stale.has(about)) {
      onNote(`Dropping attestation ${child.digest}: it is about ${about}, whose layers were recompressed`);
      return [];
    }
    const now = changed.get(child.digest);
    if (now === undefined) return [entry];
    const { data: _embedded, ...rest } = entry as { readonly data?: unknown };
    return [{ ...rest, mediaType: now.mediaType, digest: now.digest, size: now.size }];
  });
  const isOci = view.manifests.some(child => {
    const now = changed.get(child.digest)?.mediaType;
    return now !== child.mediaType && (now === OCI_MANIFEST || now === OCI_INDEX);
  });
  return view.mediaType === DOCKER_MANIFEST_LIST && isOci
    ? encode(OCI_INDEX, { ...index, mediaType: OCI_INDEX, manifests })
    : encode(view.mediaType, { ...index, manifests });
}

function encode(mediaType: string, document: object): RawManifest {
  return { mediaType, bytes: new TextEncoder().encode(JSON.stringify(document)) };
}
