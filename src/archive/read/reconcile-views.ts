import type { Root } from "../../content/contracts.ts";
import { ArchiveError } from "../../errors.ts";
import { type ArchiveNames, uniteNames } from "../../oci/archive-names.ts";
import type { Digest } from "../../oci/digest.ts";
import { DOCKER_MANIFEST, layerCompression, OCI_MANIFEST } from "../../oci/media-types.ts";
import { foldNames, tagNameOf } from "../../oci/names/pinned-names.ts";
import { parseReference } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import type { DockerImage, DockerView } from "./docker-view.ts";
import type { OciRoot } from "./oci-roots.ts";
import { RootIndex } from "./root-index.ts";

/** The images of an archive by each of its views. */
export interface ArchiveViews {
  readonly docker: DockerView | undefined;
  /** Undefined without an OCI layout. */
  readonly oci: readonly OciRoot[] | undefined;
  /** Roots of an `index.json` without an `oci-layout`: some loaders use it anyway. */
  readonly stray: readonly OciRoot[];
}

/**
 * The images of an archive with one or two views. Loaders differ in the view that they use, so a name with two images is
 * refused (security case M-16). Otherwise the OCI view decides, because its manifests are the registry's bytes; except for
 * Docker's classic store, which writes its own OCI manifest over raw layers. Images of one view only are added.
 *
 * @param what names the archive in messages.
 * @throws ArchiveError "two-views"; "two-images" if one view gives a name to two images; as `layersOf`.
 */
export async function reconcileViews(
  what: string,
  { docker, oci, stray }: ArchiveViews,
  signal?: AbortSignal,
): Promise<readonly Root[]> {
  const images = mergeImages(docker?.images ?? []);
  const roots = oci ?? [];
  const all = checkAgreement(what, images, roots, stray);
  const index = stray.length === 0 ? all : new RootIndex(roots);
  const named = namesOfRoots(images, roots, index);
  const isClassic = images.some(image => image.isClassic);
  const drafted = images.filter(image => isClassic || index.withConfig(image.config.digest).length === 0);
  const hidden = new Set(isClassic ? images.map(({ config }) => config.digest) : []);
  const parts = new Set(roots.flatMap(root => [...root.parts]));
  // A manifest below another root is a part of it, unless it has a name.
  const isTopOrNamed = ({ descriptor, tags }: OciRoot): boolean =>
    !parts.has(descriptor.digest) || tags.length > 0 || (named.get(descriptor.digest)?.names.length ?? 0) > 0;
  const settled = roots.filter(
    root => isTopOrNamed(root) && ![...root.images.keys()].some(config => hidden.has(config)),
  );
  const result: Root[] = settled.map(({ descriptor }) => {
    const { names, badNames } = named.get(descriptor.digest) ?? NO_NAMES;
    return { kind: "settled", names: foldNames(names), badNames, descriptor };
  });
  for (const image of drafted) {
    const parts = index.withConfig(image.config.digest);
    result.push(await draftOf(docker, image, uniteNames([image, ...parts]), signal));
  }
  return result;
}

/**
 * Compares what the two views say of their images.
 *
 * @returns all roots.
 * @throws ArchiveError "two-views", "two-images".
 */
export function checkAgreement(
  what: string,
  images: readonly DockerImage[],
  roots: readonly OciRoot[],
  stray: readonly OciRoot[] = [],
): RootIndex {
  checkDistinct(what, "manifest.json", images, ({ config }) => config.digest);
  // A root without any manifest (a sparse index) contradicts nothing.
  const present = roots.filter(({ images }) => images.size > 0);
  checkDistinct(what, "index.json", present, ({ descriptor }) => descriptor.digest);
  const all = new RootIndex([...roots, ...stray]);
  for (const image of images) checkViews(what, image, all);
  return all;
}

const NO_NAMES: ArchiveNames = { names: [], badNames: [] };

/** Entries with one config are one image with several names. */
function mergeImages(images: readonly DockerImage[]): readonly DockerImage[] {
  const merged = new Map<Digest, DockerImage>();
  for (const image of images) {
    const known = merged.get(image.config.digest);
    merged.set(image.config.digest, { ...(known ?? image), ...uniteNames([known ?? image, image]) });
  }
  return [...merged.values()];
}

/** The names of each root; a name of the docker view only belongs to the root with the fewest other images. */
function namesOfRoots(
  images: readonly DockerImage[],
  roots: readonly OciRoot[],
  index: RootIndex,
): ReadonlyMap<Digest, ArchiveNames> {
  const known = new Set(roots.flatMap(({ names }) => names));
  const united = new Map(roots.map(root => [root.descriptor.digest, uniteNames([root])]));
  for (const { config, names, badNames } of images) {
    const [closest] = index.withConfig(config.digest).toSorted((left, right) => left.images.size - right.images.size);
    if (closest === undefined) continue;
    const { digest } = closest.descriptor;
    const more = { names: names.filter(name => !known.has(name)), badNames };
    united.set(digest, uniteNames([united.get(digest) ?? closest, more]));
  }
  return united;
}

async function draftOf(
  docker: DockerView | undefined,
  image: DockerImage,
  named: ArchiveNames,
  signal: AbortSignal | undefined,
): Promise<Root> {
  const layers = (await docker?.layersOf(image, signal)) ?? [];
  // Docker manifests have no type for zstd layers that their readers know.
  const isZstd = layers.some(({ mediaType }) => layerCompression(mediaType) === "zstd");
  const mediaType = isZstd ? OCI_MANIFEST : DOCKER_MANIFEST;
  // Its manifest is made here, and has another digest than a name that comes with a tag.
  const names = [...new Set(named.names.map(name => tagNameOf(name) ?? name))];
  return { kind: "draft", ...named, names, draft: { mediaType, config: image.config, layers, diffIds: image.diffIds } };
}

function checkDistinct<T extends { readonly names: readonly string[] }>(
  what: string,
  file: string,
  images: readonly T[],
  digestOf: (image: T) => Digest,
): void {
  const owners = new Map<string, Digest>();
  for (const image of images) {
    const digest = digestOf(image);
    for (const name of image.names) {
      const owner = owners.get(name);
      if (owner !== undefined && owner !== digest) {
        throw new ArchiveError(
          "two-images",
          `Cannot read ${what}: ${quote(name)} is ${owner} and ${digest} in ${file}, expected one image`,
          { hint: TRUST_HINT },
        );
      }
      owners.set(name, digest);
    }
  }
}

const TRUST_HINT =
  "Different loaders would load different images from this file: save it again from a source that you trust.";

function checkViews(what: string, image: DockerImage, roots: RootIndex): void {
  const { digest } = image.config;
  for (const { images } of roots.withConfig(digest)) {
    const layers = images.get(digest);
    // The manifests of Docker's classic store are not used; 25.0.0 wrote a repeated layer once.
    if (layers === undefined || layers === image.diffIds.length || image.isClassic) continue;
    throw new ArchiveError(
      "two-views",
      `Cannot read ${what}: config ${digest} has ${image.diffIds.length} layers in manifest.json and ${layers} in index.json, ` +
        "expected the same image",
      { hint: TRUST_HINT },
    );
  }
  for (const name of image.names) {
    const { tag } = parseReference(name);
    const namesakes = roots.namesakes(name, tag);
    if (namesakes.length === 0 || namesakes.some(({ images }) => images.has(digest))) continue;
    const configs = namesakes.flatMap(({ images }) => [...images.keys()]);
    throw new ArchiveError(
      "two-views",
      `Cannot read ${what}: ${quote(name)} is config ${digest} in manifest.json and ${configs.join(", ")} in index.json, ` +
        "expected one image",
      { hint: TRUST_HINT },
    );
  }
}
