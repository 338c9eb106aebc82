import type { ImageArchive } from "../../archive/archive-source.ts";
import type { BaseBlob, Bundle, BundleImage } from "../../bundle/base/bundle.ts";
import { MAX_REPOSITORIES } from "../../bundle/lock/format-lock.ts";
import type { LockedKind } from "../../bundle/lock/lock.ts";
import { wholeBlobs } from "../../bundle/lock/whole-blobs.ts";
import type { CopyPlan, PlannedManifest, Root } from "../../content/contracts.ts";
import { addReferrers } from "../../copy/add-referrers.ts";
import { gather } from "../../copy/gather.ts";
import { manifestsBelow } from "../../copy/manifests-below.ts";
import { ArchiveError } from "../../errors.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { manifestChildren } from "../../oci/manifest.ts";
import { isManifestType, layerCompression } from "../../oci/media-types.ts";
import { repositoryOf } from "../../oci/names/repository-of.ts";
import { idOf } from "../shared/choose-image.ts";

export interface ArchivedBundleOptions {
  /** As it was given. */
  readonly path: string;
  readonly onNote: (message: string) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * What an archive contains: its images, what refers to them, and their blobs. Manifests are read, layers are not. Of a
 * delta, the layers that it assumes are there as well: who has it, has its bases.
 *
 * @throws ArchiveError for an image without one of its blobs; IntegrityError.
 */
export async function archivedBundle(
  archive: ImageArchive,
  { path, onNote, signal }: ArchivedBundleOptions,
): Promise<Bundle> {
  const found = await gather(archive, archive.images, signal, undefined, () => undefined);
  const plan = await addReferrers(archive, found, { originals: archive.images, onNote, signal });
  const lock = await archive.lock(signal);
  const lists = new BlobLists(archive, plan);
  const images = plan.roots.flatMap((root): readonly BundleImage[] => {
    const parts = lists.of(root);
    return (root.names.length === 0 ? [""] : root.names).map(name => ({ name, digest: idOf(root), parts }));
  });
  await archive.confirm(signal);
  const repositories = new Map(
    lock === undefined
      ? repositoriesByName(images)
      : wholeBlobs(lock).map(blob => [blob.digest, blob.repositories] as const),
  );
  return {
    where: path,
    kind: "archive",
    id: lock?.id,
    images,
    blobs: new Map(
      [...lists.blobs].map(([digest, blob]) => [digest, { ...blob, repositories: repositories.get(digest) ?? [] }]),
    ),
    hasRawLayers: lists.hasRawLayers,
  };
}

/** The blobs of each manifest, each manifest walked once. */
class BlobLists {
  readonly blobs = new Map<Digest, Omit<BaseBlob, "repositories">>();
  hasRawLayers = false;
  readonly #archive: ImageArchive;
  readonly #plan: CopyPlan;
  readonly #leftOut: ReadonlySet<Digest>;
  readonly #roots: ReadonlySet<Digest>;
  readonly #lists = new Map<Digest, readonly Digest[]>();

  constructor(archive: ImageArchive, plan: CopyPlan) {
    this.#archive = archive;
    this.#plan = plan;
    this.#leftOut = new Set(plan.leftOut?.map(({ digest }) => digest));
    this.#roots = new Set(plan.roots.map(idOf));
  }

  of(root: Root): BundleImage["parts"] {
    if (root.kind === "draft") {
      const { config, layers } = root.draft;
      return [
        this.#blobsOf(
          config,
          layers.map(layer => ("key" in layer ? layer.origin : layer)),
        ),
      ];
    }
    const tops = [root.descriptor, ...(root.referrers?.found ?? []).map(({ descriptor }) => descriptor)];
    const digests = new Set<Digest>();
    for (const top of tops)
      for (const { descriptor } of manifestsBelow(this.#plan, top)) digests.add(descriptor.digest);
    return [...digests].map(digest => this.#listOf(digest));
  }

  #listOf(digest: Digest): readonly Digest[] {
    const known = this.#lists.get(digest);
    if (known !== undefined) return known;
    const planned = this.#plan.manifests.get(digest);
    const list = planned === undefined ? [] : this.#blobsOfManifest(planned);
    this.#lists.set(digest, list);
    return list;
  }

  #blobsOfManifest({ descriptor, view }: PlannedManifest): readonly Digest[] {
    const { digest, size } = descriptor;
    this.blobs.set(digest, { size, kind: "manifest" });
    if (view.kind === "image") {
      // Docker's containerd store saves the manifest alone of a platform that it does not have.
      const isAlone = !this.#roots.has(digest) && !this.#archive.hasBlob(view.config.digest);
      return isAlone ? [digest] : [digest, ...this.#blobsOf(view.config, view.layers)];
    }
    const others = manifestChildren(view).filter(({ mediaType }) => !isManifestType(mediaType));
    return [digest, ...this.#blobsOf(undefined, others)];
  }

  #blobsOf(config: Descriptor | undefined, layers: readonly Descriptor[]): readonly Digest[] {
    const present = layers.filter(({ digest }) => !this.#leftOut.has(digest));
    if (config !== undefined) this.#add(config, "config");
    for (const layer of present) {
      this.#add(layer, "layer");
      if (layerCompression(layer.mediaType) === "none") this.hasRawLayers = true;
    }
    return [...(config === undefined ? [] : [config]), ...present].map(({ digest }) => digest);
  }

  #add({ digest, size }: Descriptor, kind: LockedKind): void {
    if (this.blobs.has(digest)) return;
    const found = this.#archive.sizeOf(digest);
    if (found !== size) {
      const state = found === undefined ? "none" : `${found} bytes`;
      throw new ArchiveError(
        "missing-blob",
        `Cannot compare ${this.#archive.what}: found ${state} of ${kind} ${digest}, expected ${size} bytes`,
        { hint: 'The archive is incomplete or damaged: "imgpack verify" says what is wrong with it.' },
      );
    }
    this.blobs.set(digest, { size, kind });
  }
}

/** Where images are that an archive names. The names of one image share its parts. */
function repositoriesByName(images: readonly BundleImage[]): ReadonlyMap<Digest, readonly string[]> {
  const byImage = new Map<BundleImage["parts"], Set<string>>();
  for (const { name, parts } of images) {
    const known = byImage.get(parts) ?? new Set();
    if (name !== "" && known.size < MAX_REPOSITORIES) known.add(repositoryOf(name));
    byImage.set(parts, known);
  }
  const found = new Map<Digest, Set<string>>();
  for (const [parts, repositories] of byImage) {
    for (const digest of parts.flat()) {
      const known = found.get(digest) ?? new Set();
      for (const repository of repositories) if (known.size < MAX_REPOSITORIES) known.add(repository);
      found.set(digest, known);
    }
  }
  return new Map([...found].map(([digest, repositories]) => [digest, [...repositories].sort()]));
}
