import { InternalError } from "../errors.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../oci/annotations.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { ImageView, IndexView } from "../oci/manifest.ts";
import { withLayerCompression } from "../oci/media-types.ts";

/**
 * The manifest with some of its layers in another form; every other field as it was.
 *
 * @param recompressed digest and size now, by the layer's digest before.
 * @returns undefined when none of its layers changed.
 */
export function rewriteImage(
  bytes: Uint8Array,
  view: ImageView,
  recompressed: ReadonlyMap<Digest, { readonly digest: Digest; readonly size: number }>,
  wish: "gzip" | "raw",
): Uint8Array | undefined {
  if (!view.layers.some(({ digest }) => recompressed.has(digest))) return undefined;
  const manifest = JSON.parse(Buffer.from(bytes).toString("utf8")) as { layers: readonly object[] };
  const layers = manifest.layers.map((entry, place) => {
    const layer = view.layers[place];
    const now = layer === undefined ? undefined : recompressed.get(layer.digest);
    if (layer === undefined || now === undefined) return entry;
    const mediaType = withLayerCompression(layer.mediaType, wish === "raw" ? "none" : "gzip");
    if (mediaType === undefined)
      throw new InternalError(`Cannot rewrite manifest: ${layer.mediaType} has no ${wish} form`);
    // In its writer's order. URLs and annotations (tables of contents, checksums) were about the bytes before.
    const fields = { mediaType, digest: now.digest, size: now.size };
    return Object.fromEntries(
      Object.keys(entry).flatMap(key => Object.entries(fields).filter(([name]) => name === key)),
    );
  });
  return encode({ ...manifest, layers });
}

/**
 * The index with the new digests of its manifests; every other field as it was. Attestations of an image that changed
 * are left out: they vouch for the digest before.
 *
 * @param changed new descriptors, by digest before.
 * @returns undefined when none of its manifests changed.
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
  const manifests = index.manifests.flatMap((entry, place) => {
    const child = view.manifests[place];
    if (child === undefined) return [entry];
    const about = child.annotations?.[ANNOTATION_REFERENCE_DIGEST];
    if (about !== undefined && stale.has(about)) {
      onNote(`Attestation ${child.digest} is left out: it vouches for ${about}, whose layers were changed`);
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
