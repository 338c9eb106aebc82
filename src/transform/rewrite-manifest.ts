import { InternalError } from "../errors.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../oci/annotations.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageView, IndexView } from "../oci/manifest.ts";
import { withLayerCompression } from "../oci/media-types.ts";

/**
 * The manifest with recompressed layers; every other field as before.
 *
 * @param recompressed new digest and size, by the old digest.
 * @returns undefined if none of its layers changed.
 */
export function rewriteImage(
  bytes: Uint8Array,
  view: ImageView,
  recompressed: ReadonlyMap<Digest, { readonly digest: Digest; readonly size: number }>,
  target: "gzip" | "raw",
): Uint8Array | undefined {
  if (!view.layers.some(({ digest }) => recompressed.has(digest))) return undefined;
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as { layers: readonly object[] };
  const layers = manifest.layers.map((entry, index) => {
    const layer = view.layers[index];
    const now = layer === undefined ? undefined : recompressed.get(layer.digest);
    if (layer === undefined || now === undefined) return entry;
    const mediaType = withLayerCompression(layer.mediaType, target === "raw" ? "none" : "gzip");
    if (mediaType === undefined)
      throw new InternalError(`Cannot rewrite manifest: ${layer.mediaType} has no ${target} variant`);
    // Keys in the writer's order. URLs and annotations (tables of contents, checksums) were about the old bytes.
    const fields = { mediaType, digest: now.digest, size: now.size };
    return Object.fromEntries(
      Object.keys(entry).flatMap(key => Object.entries(fields).filter(([name]) => name === key)),
    );
  });
  return encode({ ...manifest, layers });
}

/**
 * The index with the new digests of its manifests; every other field as before. Drops attestations of an image that
 * changed: they are about the old digest.
 *
 * @param changed new descriptors, by old digest.
 * @returns undefined if none of its manifests changed.
 */
export function rewriteIndex(
  bytes: Uint8Array,
  view: IndexView,
  changed: ReadonlyMap<Digest, Descriptor>,
  onNote: (message: string) => void,
): Uint8Array | undefined {
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
    return [{ ...rest, digest: now.digest, size: now.size }];
  });
  return encode({ ...index, manifests });
}

function encode(document: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
