import { setImmediate } from "node:timers/promises";
import type { LockedImage } from "../../../bundle/lock/lock.ts";
import type { Digest } from "../../../oci/digest.ts";
import { parseReference } from "../../../oci/reference.ts";
import { compareText, sortByVersion } from "../../../oci/semver.ts";
import { append } from "../../../util/append.ts";
import type { ManifestRecord, ServedRegistry } from "../../content/served-registry.ts";
import type { Attached, Catalogue, ListedImage, Signatures } from "./catalogue.ts";
import { catalogueTotals } from "./catalogue-totals.ts";
import { imageFinder } from "./find-image.ts";
import { type GatheredRepository, gatherRepositories } from "./gathered-repository.ts";
import type { ImageContent } from "./image-content.ts";
import { ImageContents } from "./image-contents.ts";
import { LockedImages, missingImages } from "./locked-images.ts";
import type { ManifestShelf } from "./manifest-shelf.ts";

/**
 * Reads what a server has. Each manifest is read once, at most 16 at a time; layers are not read.
 *
 * @throws the reason of `signal`; one bad image is listed as broken, and does not hide the others.
 */
export async function readCatalogue(
  registry: ServedRegistry,
  shelf: ManifestShelf,
  signal: AbortSignal,
): Promise<Catalogue> {
  const { generation, bundle } = registry;
  const gathered = await gatherRepositories(registry, shelf, signal);
  const damage = registry.damage.flatMap(each => (each.digest === undefined ? [] : [[each.digest, each] as const]));
  const contents = new ImageContents(shelf, new Map(damage));
  const lock = await bundle?.lock(signal);
  const parts = (await bundle?.parts(signal)) ?? [];
  const locked = new LockedImages(lock?.images ?? []);
  const named = gathered.flatMap(each => namesOf(each).map(([tag, record]) => ({ each, tag, record })));
  // A list of 10,000 images takes a second of a processor: requests of the protocol are answered in between.
  for (const [index, { each, record }] of named.entries()) {
    if (index % IMAGES_AT_ONCE === 0) await pause(signal);
    contents.add(each, record);
  }
  const images: ListedImage[] = [];
  const unnamed: ListedImage[] = [];
  for (const [index, { each, tag, record }] of named.entries()) {
    if (index % IMAGES_AT_ONCE === 0) await pause(signal);
    const { original, name: repository } = each.repository;
    const content = contents.add(each, record);
    const image = listedImage(original, tag, repository, contents, content, locked.of(original, record.digest));
    (original === "" ? unnamed : images).push(image);
  }
  const served = new Map(gathered.map(({ repository }) => [repository.original, repository.name]));
  append(images, missingImages(bundle, lock, images, served));
  images.sort((left, right) => compareText(left.registry, right.registry) || compareText(left.path, right.path));
  shelf.keep(contents.digests());
  return {
    generation,
    images,
    unnamed,
    totals: catalogueTotals(images, contents, bundle?.absent ?? []),
    bundle,
    // What several bundles say together is no bundle that someone has the id of.
    id: bundle?.id ?? (parts.length > 1 ? undefined : lock?.id),
    lock,
    parts,
    find: imageFinder(images),
    usesOf: digest => {
      const blob = shelf.blob(digest);
      return blob === undefined ? 0 : contents.usesOf(blob);
    },
  };
}

const IMAGES_AT_ONCE = 250;

async function pause(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}

/** Tags of newer versions first, then what has no tag. */
function namesOf({
  tagged,
  untagged,
}: GatheredRepository): (readonly [tag: string | undefined, record: ManifestRecord])[] {
  const byTag = new Map(tagged.map(({ tag, record }) => [tag, record]));
  const sorted = sortByVersion([...byTag.keys()]).flatMap(tag => {
    const record = byTag.get(tag);
    return record === undefined ? [] : [[tag, record] as const];
  });
  return [...sorted, ...untagged.map(record => [undefined, record] as const)];
}

function listedImage(
  original: string,
  tag: string | undefined,
  repository: string,
  contents: ImageContents,
  content: ImageContent,
  locked: LockedImage | undefined,
): ListedImage {
  const { registry = "", repository: path } = original === "" ? { repository: "" } : parseReference(original);
  let bytes = 0;
  let ownBytes = 0;
  for (const blob of content.blobs) {
    bytes += blob.size;
    if (contents.usesOf(blob) === 1) ownBytes += blob.size;
  }
  const { record, blobs: _, ...rest } = content;
  return {
    name: imageName(original, tag, record.digest),
    registry,
    path,
    tag,
    digest: record.digest,
    mediaType: record.mediaType,
    repository,
    ...rest,
    bytes,
    ownBytes,
    signatures: signaturesOf(content.attached, locked),
    locked,
  };
}

function imageName(original: string, tag: string | undefined, digest: Digest): string {
  if (original === "") return "";
  return tag === undefined ? `${original}@${digest}` : `${original}:${tag}`;
}

function signaturesOf(attached: readonly Attached[], locked: LockedImage | undefined): Signatures {
  const count = attached.filter(({ kind }) => kind === "signature").length;
  if (count > 0) return count;
  if (locked?.lookup === undefined) return "absent";
  return locked.lookup === "complete" ? "none" : "unknown";
}
