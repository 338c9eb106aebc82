import type { Lock, LockedBlob } from "../bundle/lock/lock.ts";
import type { VolumeSet } from "../bundle/set/check-volumes.ts";
import type { FoundReferrers, ImageSource, Root } from "../content/contracts.ts";
import type { Digest } from "../oci/digest.ts";
import type { V1ChainJson } from "../oci/legacy/v1-chain-json.ts";
import type { TarEntry } from "../tar/tar-entry.ts";
import type { Archive } from "./archive.ts";
import type { BundlePart } from "./lock/bundle-part.ts";
import type { DockerView } from "./read/docker-view.ts";
import type { OciView } from "./read/oci-view.ts";

/**
 * How an archive describes its images: by a `manifest.json` as `docker save` writes it, by an OCI layout, or by both; "dir"
 * is the form of `skopeo copy dir:`, "legacy" that of Docker 1.9 and older.
 */
export type ArchiveDialect = "docker" | "oci" | "docker+oci" | "dir" | "legacy";

/** A blob that an archive names and does not have. */
export interface AbsentBlob extends LockedBlob {
  /** "assumed": a delta leaves it to its base. "volume": it is in a volume that is not there, or that lacks it. */
  readonly why: "assumed" | "volume";
  /** Numbers of these volumes. */
  readonly volumes: readonly number[];
  /** Bytes of it that are not there, if others are: it is split among volumes. */
  readonly lacking?: number;
  /** As in AssumedBlob. */
  readonly sources?: readonly string[];
}

/** One archive, or several files that are one source: what commands need of either. */
export interface ImageArchive extends ImageSource {
  /** As messages name it, for example `archive "app.tar"`. */
  readonly what: string;
  /** The files that it is made of, in the order of the call. */
  readonly members: readonly ArchiveSource[];
  readonly images: readonly Root[];
  /** Id of the bundle, as far as it is known without reading further: of volumes, deltas and what a patch is for. */
  readonly bundle: Digest | undefined;
  /** The volumes that are there, and those that are not. */
  readonly volumes: VolumeSet | undefined;
  /** Blobs that it names and lacks; reading one is a NotFoundError. Sorted by digest. */
  readonly absent: readonly AbsentBlob[];
  /** Whether it has the bytes. */
  hasBlob(digest: Digest): boolean;
  /** Bytes of a blob, also of an absent one. */
  sizeOf(digest: Digest): number | undefined;
  /** Ids and JSON of the layers that an image of "legacy" has there, base first; undefined for any other image. */
  legacyChain(config: Digest, signal?: AbortSignal): Promise<readonly V1ChainJson[] | undefined>;
  /** Undefined for an archive without one, and for one that cannot be used, which is noted. Read once. */
  lock(signal?: AbortSignal): Promise<Lock | undefined>;
  referrers(subject: Digest, signal?: AbortSignal): Promise<FoundReferrers>;
  confirm(signal?: AbortSignal): Promise<void>;
  /** Only of an archive that was opened without its manifests (`deferAbove`): as in DeferredViews. */
  readonly checkImage?: ((image: Root, signal?: AbortSignal) => Promise<void>) | undefined;
}

/** An open archive: the views that it offers, and the images on which they agree. */
export interface ArchiveSource extends ImageArchive {
  readonly archive: Archive;
  readonly dialect: ArchiveDialect;
  readonly docker: DockerView | undefined;
  readonly oci: OciView | undefined;
  /** Only of a part of a bundle: a volume, a delta, a patch. */
  readonly part: BundlePart | undefined;
  /** The entry of a blob; undefined for one that is absent, or made from entries. */
  entryOf(digest: Digest): TarEntry | undefined;
}
