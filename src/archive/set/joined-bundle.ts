import type { Lock, LockedBlob } from "../../bundle/lock/lock.ts";
import type { Volume, VolumeSet } from "../../bundle/set/check-volumes.ts";
import type { BlobSource, Root } from "../../content/contracts.ts";
import { rootsOf } from "../../content/derived-source.ts";
import { joinedBlob } from "../../content/joined-blob.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { isManifestType } from "../../oci/media-types.ts";
import { shortId } from "../../util/format.ts";
import { absentError, assumedBlobs } from "../absent-blobs.ts";
import type { AbsentBlob, ArchiveSource, ImageArchive } from "../archive-source.ts";
import { missingBlob } from "../read/blob-index.ts";
import { joinedReferrers } from "./joined-referrers.ts";
import { Pieces } from "./patched-blobs.ts";
import { SplitBlobs } from "./split-blobs.ts";
import { volumeImages } from "./volume-images.ts";

export interface OpenVolume extends Volume {
  readonly source: ArchiveSource;
  readonly lock: Lock;
}

/** The files of one bundle. */
export interface BundleFiles {
  /** Archives and volumes. */
  readonly archives: readonly ArchiveSource[];
  readonly volumes: VolumeSet<OpenVolume> | undefined;
  /** What they have takes precedence. */
  readonly patches: readonly ArchiveSource[];
}

/** One bundle from its volumes and patches; an archive that needs neither is itself. Disposing it closes its files. */
export async function joinedBundle(files: BundleFiles, signal?: AbortSignal): Promise<ImageArchive> {
  const [first, ...others] = files.archives;
  const isAlone = others.length === 0 && files.patches.length === 0 && files.volumes === undefined;
  if (first !== undefined && isAlone && rootsOfDamaged(first) === undefined) return first;
  return await JoinedBundle.of(files, signal);
}

class JoinedBundle implements ImageArchive {
  readonly what: string;
  readonly members: readonly ArchiveSource[];
  readonly bundle: Digest | undefined;
  readonly volumes: VolumeSet | undefined;
  readonly absent: readonly AbsentBlob[];
  readonly referrers: ImageArchive["referrers"];
  readonly #files: BundleFiles;
  readonly #lock: Lock | undefined;
  readonly #pieces: Pieces;
  readonly #split: SplitBlobs;
  readonly #rows: ReadonlyMap<Digest, { readonly size: number; readonly volumes: readonly number[] }>;
  readonly #absent: ReadonlyMap<Digest, AbsentBlob>;
  #images: readonly Root[] = [];

  private constructor(files: BundleFiles) {
    const { archives, volumes, patches } = files;
    const [first] = archives;
    const [firstVolume] = volumes?.present.values() ?? [];
    const part = first?.part;
    this.#lock = firstVolume?.lock ?? (part?.kind === "locked" ? part.lock : undefined);
    this.#files = files;
    this.members = [...archives, ...patches];
    this.volumes = volumes;
    this.bundle = this.#lock?.id ?? patches[0]?.bundle;
    this.what = volumes === undefined ? (first?.what ?? "patch") : `bundle ${shortId(volumes.bundle)}`;
    this.#pieces = new Pieces(patches);
    this.#split = new SplitBlobs([...(volumes?.present.values() ?? [])].map(({ source }) => source));
    const where = firstVolume?.set.where ?? [];
    const blobs = volumes === undefined ? [] : (this.#lock?.blobs ?? []);
    this.#rows = new Map(
      blobs.map(({ digest, size }, index) => [digest, { size, volumes: [where[index] ?? []].flat() }]),
    );
    this.absent = [
      ...blobs.flatMap(blob =>
        this.hasBlob(blob.digest) ? [] : [{ ...blob, why: "volume" as const, ...this.#lost(blob) }],
      ),
      ...(this.#lock === undefined ? [] : assumedBlobs(this.#lock, digest => this.hasBlob(digest))),
    ].sort((left, right) => (left.digest < right.digest ? -1 : 1));
    this.#absent = new Map(this.absent.map(blob => [blob.digest, blob]));
    this.referrers = joinedReferrers(this.members);
  }

  static async of(files: BundleFiles, signal: AbortSignal | undefined): Promise<JoinedBundle> {
    const bundle = new JoinedBundle(files);
    bundle.#images = await bundle.#readImages(signal);
    return bundle;
  }

  get images(): readonly Root[] {
    return this.#images;
  }

  hasBlob(digest: Digest): boolean {
    if (this.#volumeWith(digest) !== undefined || this.members.some(member => member.hasBlob(digest))) return true;
    const split = this.#findSplit(digest);
    return split !== undefined && (split.gap === undefined || this.#pieces.cover(digest, split.gap));
  }

  sizeOf(digest: Digest): number | undefined {
    const size = this.#rows.get(digest)?.size ?? this.#absent.get(digest)?.size;
    return size ?? this.members.map(member => member.sizeOf(digest)).find(found => found !== undefined);
  }

  async *roots(): AsyncGenerator<Root, void> {
    yield* rootsOf(this.#images)();
  }

  async blob(descriptor: Descriptor, signal?: AbortSignal): Promise<BlobSource> {
    const { digest } = descriptor;
    const patch = this.#files.patches.find(one => hasExactly(one, descriptor));
    if (patch !== undefined) return await patch.blob(descriptor, signal);
    const { archives } = this.#files;
    const isRight = (one: ArchiveSource | undefined): boolean => one !== undefined && hasExactly(one, descriptor);
    const own = this.#volumeWith(digest);
    const whole = isRight(own) ? own : (archives.find(isRight) ?? archives.find(one => one.hasBlob(digest)));
    if (whole !== undefined) return this.#pieces.applyTo(digest, await whole.blob(descriptor, signal));
    const split = this.hasBlob(digest) ? this.#findSplit(digest) : undefined;
    if (split !== undefined) return this.#pieces.applyTo(digest, joinedBlob(split.segments));
    // All of it: the next volume would be named only in the next run.
    if (this.#absent.has(digest)) throw absentError("read", this, this.absent, { bases: this.#lock?.bases });
    throw missingBlob(descriptor, this.what);
  }

  async has({ digest }: Descriptor): Promise<boolean> {
    return this.hasBlob(digest) || this.#absent.has(digest);
  }

  async legacyChain(config: Digest, signal?: AbortSignal): ReturnType<ImageArchive["legacyChain"]> {
    for (const member of this.members) {
      const chain = await member.legacyChain(config, signal);
      if (chain !== undefined) return chain;
    }
    return undefined;
  }

  /** Without the place in the set: it is of the bundle. */
  async lock(signal?: AbortSignal): Promise<Lock | undefined> {
    if (this.#lock === undefined) return await this.#files.archives[0]?.lock(signal);
    const { set: _, ...lock } = this.#lock;
    return lock;
  }

  async confirm(signal?: AbortSignal): Promise<void> {
    for (const member of this.members) await member.confirm(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.members) await member[Symbol.asyncDispose]();
  }

  async #readImages(signal: AbortSignal | undefined): Promise<readonly Root[]> {
    const { archives, volumes } = this.#files;
    const damaged = archives.flatMap(archive => [...(rootsOfDamaged(archive)?.values() ?? [])]);
    const isDamaged = archives.some(archive => rootsOfDamaged(archive) !== undefined);
    if ((volumes === undefined && !isDamaged) || this.#lock === undefined) return archives.flatMap(one => one.images);
    const known = archives.flatMap(({ images }) =>
      images.flatMap(root => (root.kind === "settled" ? [root.descriptor] : [])),
    );
    const descriptors = new Map([...damaged, ...known].map(descriptor => [descriptor.digest, descriptor]));
    return await volumeImages(this.#lock, descriptors, this, signal);
  }

  /** The volume that has a blob where the lock says: a large set has many to search. */
  #volumeWith(digest: Digest): ArchiveSource | undefined {
    const [number = 0] = this.#rows.get(digest)?.volumes ?? [];
    const source = this.#files.volumes?.present.get(number)?.source;
    return source?.hasBlob(digest) === true ? source : undefined;
  }

  #findSplit(digest: Digest): ReturnType<SplitBlobs["find"]> {
    const row = this.#rows.get(digest);
    return row === undefined ? undefined : this.#split.find(digest, row.size, row.volumes.length);
  }

  #lost({ digest, size }: LockedBlob): Pick<AbsentBlob, "volumes" | "lacking"> {
    const volumes = this.#rows.get(digest)?.volumes ?? [];
    const missing = volumes.filter(number => this.volumes?.present.has(number) === false);
    const present = this.#split.presentBytes(digest);
    return {
      volumes: [...new Set(missing.length > 0 ? missing : volumes)],
      ...(present > 0 && present < size ? { lacking: size - present } : {}),
    };
  }
}

function rootsOfDamaged({ part }: ArchiveSource): ReadonlyMap<Digest, Descriptor> | undefined {
  return part?.kind === "locked" ? part.roots : undefined;
}

/** Of a manifest the digest decides: some indexes state wrong sizes. */
function hasExactly(archive: ArchiveSource, { digest, size, mediaType }: Descriptor): boolean {
  return archive.hasBlob(digest) && (archive.sizeOf(digest) === size || isManifestType(mediaType));
}
