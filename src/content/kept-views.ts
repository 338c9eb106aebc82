import { type ManifestView, type ParseManifestOptions, parseManifest } from "../oci/manifest.ts";

/** Of bytes that are as they were when they were read. */
const views = new WeakMap<Uint8Array, ManifestView>();

/**
 * As `parseManifest`, once for the same bytes in memory: a manifest of a registry is needed when it arrives, when its blobs
 * get their repository, and in the plan.
 *
 * @param bytes must never change, as memory that is used again does.
 */
export function parseKept(bytes: Uint8Array, options: ParseManifestOptions): ManifestView {
  const known = knownView(bytes, options.announced);
  if (known !== undefined) return known;
  const view = parseManifest(bytes, options);
  views.set(bytes, view);
  return view;
}

/** The view of bytes that `parseKept` has read; undefined for others, and for another type than it found. */
export function knownView(bytes: Uint8Array, announced: string | undefined): ManifestView | undefined {
  const view = views.get(bytes);
  return announced === undefined || announced === view?.mediaType ? view : undefined;
}
