import { readManifestBytes } from "../../content/read-manifest-bytes.ts";
import { IntegrityError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isArtifact } from "../../oci/is-artifact.ts";
import type { LayoutRoot } from "../../oci/layout.ts";
import { MAX_INDEX_DEPTH } from "../../oci/limits.ts";
import { manifestChildren, parseManifest } from "../../oci/manifest.ts";
import { isManifestType } from "../../oci/media-types.ts";
import type { OpenArchiveOptions } from "../open/open-archive-options.ts";
import type { OciView } from "./oci-view.ts";

const MAX_MANIFESTS = 100_000;

/** An entry of `index.json`, with its images and manifests in the archive. */
export interface OciRoot extends LayoutRoot {
  /** Number of layers by config digest, for every image manifest below that is present. */
  readonly images: ReadonlyMap<Digest, number>;
  /** Digests of the configs of artifacts, which `images` contains as well. */
  readonly artifacts: ReadonlySet<Digest>;
  /** Manifests below it that are present. */
  readonly parts: ReadonlySet<Digest>;
  /** The manifest that its own manifest refers to. */
  readonly subject?: Digest;
  /** Entries of its own manifest, if that is an index. */
  readonly listed: readonly Descriptor[];
}

/**
 * Follows the entries of an `index.json` to their images. Absent manifests are skipped: a sparse index is normal.
 *
 * @param onDamage as in OpenArchiveOptions.
 * @throws IntegrityError for a manifest that is not what its digest says; ArchiveError as `parseManifest`.
 */
export async function readOciRoots(
  { index, blobs }: OciView,
  what: string,
  onDamage?: OpenArchiveOptions["onDamage"],
  signal?: AbortSignal,
): Promise<readonly OciRoot[]> {
  const source = { blob: async (descriptor: Descriptor) => blobs.blob(descriptor) };
  const views = new Map<Digest, ReturnType<typeof parseManifest>>();
  const read = async (descriptor: Descriptor): Promise<ReturnType<typeof parseManifest>> => {
    const { digest, mediaType } = descriptor;
    const known = views.get(digest);
    if (known !== undefined) return known;
    const bytes = await readManifestBytes(source, descriptor, what, signal);
    const view = parseManifest(bytes, { announced: mediaType, where: `${digest} in ${what}` });
    views.set(digest, view);
    return view;
  };
  const roots: OciRoot[] = [];
  for (const root of index.roots) {
    const images = new Map<Digest, number>();
    const artifacts = new Set<Digest>();
    const seen = new Set<Digest>();
    const walk = async (descriptor: Descriptor, depth: number): Promise<void> => {
      const { digest, mediaType } = descriptor;
      if (!isManifestType(mediaType) || seen.has(digest) || !blobs.has(digest)) return;
      // Deeper or wider graphs are refused when the copy is planned.
      if (depth > MAX_INDEX_DEPTH || seen.size > MAX_MANIFESTS) return;
      seen.add(digest);
      const view = await read(descriptor).catch(error => {
        if (onDamage === undefined || !(error instanceof IntegrityError)) throw error;
        onDamage(digest, error);
        return undefined;
      });
      if (view === undefined) return;
      if (view.kind === "image") {
        images.set(view.config.digest, view.layers.length);
        if (isArtifact(view)) artifacts.add(view.config.digest);
      } else for (const child of manifestChildren(view)) await walk(child, depth + 1);
    };
    await walk(root.descriptor, 1);
    seen.delete(root.descriptor.digest);
    const own = views.get(root.descriptor.digest);
    const subject = own?.subject?.digest;
    const listed = own?.kind === "index" ? own.manifests : [];
    roots.push({ ...root, images, artifacts, parts: seen, ...(subject === undefined ? {} : { subject }), listed });
  }
  return roots;
}
