import type { CopyPlan } from "../content/contracts.ts";
import { ANNOTATION_IMAGE_NAME, ANNOTATION_REF_NAME } from "../oci/annotations.ts";
import { buildImageIndex } from "../oci/build-manifest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { DOCKER_MANIFEST_FILE } from "../oci/docker-manifest.ts";
import { INDEX_FILE, LAYOUT_FILE, LAYOUT_HEADER } from "../oci/layout.ts";
import type { ImageView } from "../oci/manifest.ts";
import { isImageConfigType } from "../oci/media-types.ts";
import { type Platform, selectPlatform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import { blobName } from "./blob-name.ts";

/** Ours; every loader ignores it. */
const PLAN_FILE = "imgpack.json";

interface MetadataFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The JSON files at the head of an archive, in order. Key order and root order are fixed, so the same images give the
 * same bytes.
 *
 * @param platform the one that `manifest.json`, which can name a single platform per image, takes from an index.
 */
export function archiveMetadata(plan: CopyPlan, platform: Platform): readonly MetadataFile[] {
  const roots = plan.roots
    .flatMap(root => (root.kind === "settled" ? [{ names: [...root.names].sort(), descriptor: root.descriptor }] : []))
    .sort(
      (left, right) =>
        compare(left.names[0] ?? "", right.names[0] ?? "") || compare(left.descriptor.digest, right.descriptor.digest),
    );
  const entries = roots.flatMap(({ names, descriptor }) =>
    names.length === 0 ? [descriptor] : names.map(name => named(descriptor, name)),
  );
  const images = roots.flatMap(({ names, descriptor }) => {
    const view = imageFor(plan, descriptor, platform);
    return view === undefined || !isImageConfigType(view.config.mediaType) ? [] : [{ names, view }];
  });
  const dockerManifest = images.map(({ names, view }) => ({
    Config: blobName(view.config.digest),
    RepoTags: names.length === 0 ? null : names,
    Layers: view.layers.map(({ digest }) => blobName(digest)),
  }));
  const own = {
    formatVersion: 1,
    roots: roots.map(({ names, descriptor }) => ({
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      names,
    })),
  };
  return [
    { name: LAYOUT_FILE, bytes: encode(LAYOUT_HEADER) },
    { name: INDEX_FILE, bytes: buildImageIndex(entries).bytes },
    ...(dockerManifest.length === 0
      ? []
      : [{ name: DOCKER_MANIFEST_FILE, bytes: encode(JSON.stringify(dockerManifest)) }]),
    { name: PLAN_FILE, bytes: encode(JSON.stringify(own)) },
  ];
}

/** The image that a docker loader gets: the manifest itself, or the best fit of an index; failing that, its first image. */
function imageFor(plan: CopyPlan, descriptor: Descriptor, platform: Platform): ImageView | undefined {
  const view = plan.manifests.get(descriptor.digest)?.view;
  if (view === undefined || view.kind === "image") return view;
  const present = view.manifests.filter(({ digest }) => plan.manifests.has(digest));
  const best = selectPlatform(present, platform);
  const ordered = best === undefined ? present : [best, ...present];
  for (const child of ordered) {
    const image = imageFor(plan, child, platform);
    if (image !== undefined && isImageConfigType(image.config.mediaType)) return image;
  }
  return undefined;
}

/** Both annotations: containerd reads the full name, others take the tag. */
function named(descriptor: Descriptor, name: string): Descriptor {
  const { tag } = parseReference(name);
  const names = { [ANNOTATION_IMAGE_NAME]: name, ...(tag === undefined ? {} : { [ANNOTATION_REF_NAME]: tag }) };
  return { ...descriptor, annotations: { ...descriptor.annotations, ...names } };
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
