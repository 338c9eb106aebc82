import type { Lock } from "../../bundle/lock/lock.ts";
import type { BlobSource, Root } from "../../content/contracts.ts";
import { rootsOf } from "../../content/derived-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isManifestType } from "../../oci/media-types.ts";
import { absentError } from "../absent-blobs.ts";
import type { AbsentBlob, ArchiveSource, ImageArchive } from "../archive-source.ts";
import { missingBlob } from "../read/blob-index.ts";
import { joinedReferrers } from "./joined-referrers.ts";
import { mergedImages, overlaidImages } from "./merged-images.ts";
import { mergedLock } from "./merged-lock.ts";

export interface Layers {
  /** Archives that nothing else here is made against, such as the last delta. */
  readonly tops: readonly ImageArchive[];
  /** What their deltas assume, the nearest first. */
  readonly bases: readonly ImageArchive[];
  /** Whether the images of the bases are images of the whole, too; of a name that both have, a top decides. */
  readonly withBaseImages: boolean;
}

/**
 * Several bundles as one: deltas on their bases, or archives that are merged.
 *
 * @throws ArchiveError "two-images" for a name with two digests in the tops.
 */
export function layeredArchive(layers: Layers): ImageArchive {
  const [first] = layers.tops;
  if (first !== undefined && layers.tops.length === 1 && layers.bases.length === 0) return first;
  return new LayeredArchive(layers);
}

class LayeredArchive implements ImageArchive {
  readonly what: string;
  readonly members: readonly ArchiveSource[];
  readonly images: readonly Root[];
  readonly bundle: Digest | undefined;
  readonly volumes: ImageArchive["volumes"];
  readonly absent: readonly AbsentBlob[];
  readonly roots: ImageArchive["roots"];
  readonly #layers: Layers;
  readonly #absent = new Map<Digest, AbsentBlob>();
  readonly #archives: readonly ImageArchive[];
  readonly #topReferrers: ImageArchive["referrers"];
  readonly #baseReferrers: ImageArchive["referrers"];

  constructor(layers: Layers) {
    const { tops, bases, withBaseImages } = layers;
    this.#layers = layers;
    this.#archives = [...tops, ...bases];
    this.members = this.#archives.flatMap(({ members }) => members);
    this.what = this.#archives.map(({ what }) => what).join(" with ");
    const topImages = mergedImages(tops);
    this.images = withBaseImages ? overlaidImages([topImages, ...bases.map(({ images }) => images)]) : topImages;
    this.roots = rootsOf(this.images);
    const [top, ...others] = tops;
    this.bundle = others.length === 0 ? top?.bundle : undefined;
    this.volumes =
      this.#archives.map(({ volumes }) => volumes).find(volumes => (volumes?.missing.length ?? 0) > 0) ?? top?.volumes;
    const absent = this.#archives.flatMap(archive => archive.absent);
    // A delta leaves to its base what is in a missing volume of it: the volume is what people must find.
    for (const blob of [...absent.filter(isInVolume), ...absent]) {
      if (!this.#absent.has(blob.digest) && !this.hasBlob(blob.digest)) this.#absent.set(blob.digest, blob);
    }
    this.absent = [...this.#absent.values()].sort((left, right) => (left.digest < right.digest ? -1 : 1));
    this.#topReferrers = joinedReferrers(tops);
    this.#baseReferrers = joinedReferrers(bases);
  }

  hasBlob(digest: Digest): boolean {
    return this.#archives.some(archive => archive.hasBlob(digest));
  }

  sizeOf(digest: Digest): number | undefined {
    const owner = this.#archives.find(archive => archive.hasBlob(digest));
    if (owner !== undefined) return owner.sizeOf(digest);
    return this.#absent.get(digest)?.size;
  }

  async blob(descriptor: Descriptor, signal?: AbortSignal): Promise<BlobSource> {
    const { digest, size, mediaType } = descriptor;
    const owners = this.#archives.filter(archive => archive.hasBlob(digest));
    const isRight = (archive: ImageArchive): boolean => archive.sizeOf(digest) === size || isManifestType(mediaType);
    const owner = owners.find(isRight) ?? owners[0];
    if (owner !== undefined) return await owner.blob(descriptor, signal);
    if (this.#absent.has(digest)) throw absentError("read", this, this.absent);
    throw missingBlob(descriptor, this.what);
  }

  async has({ digest }: Descriptor): Promise<boolean> {
    return this.hasBlob(digest) || this.#absent.has(digest);
  }

  /** A delta carries all that refers to its images: what its base has may be gone at the registry. */
  async referrers(subject: Digest, signal?: AbortSignal): ReturnType<ImageArchive["referrers"]> {
    const isOnTop = this.#layers.tops.some(archive => archive.hasBlob(subject));
    return await (isOnTop ? this.#topReferrers : this.#baseReferrers)(subject, signal);
  }

  async legacyChain(config: Digest, signal?: AbortSignal): ReturnType<ImageArchive["legacyChain"]> {
    for (const archive of this.#archives) {
      const chain = await archive.legacyChain(config, signal);
      if (chain !== undefined) return chain;
    }
    return undefined;
  }

  async lock(signal?: AbortSignal): Promise<Lock | undefined> {
    const archives = this.#layers.withBaseImages ? this.#archives : this.#layers.tops;
    return await mergedLock(archives, digest => this.hasBlob(digest), signal);
  }

  async confirm(signal?: AbortSignal): Promise<void> {
    for (const archive of this.#archives) await archive.confirm(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const archive of this.#archives) await archive[Symbol.asyncDispose]();
  }
}

/** Whether a volume that is not there has the blob. */
function isInVolume({ why }: AbsentBlob): boolean {
  return why === "volume";
}
