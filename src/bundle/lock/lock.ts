import type { Digest } from "../../oci/digest.ts";
import type { ReferrersLookup } from "../../oci/referrers/referrers-lookup.ts";

/**
 * What names of images mean: their digests, and everything below them. The lock of a bundle is its `imgpack.json`; a lock
 * and the bytes of its blobs are a bundle.
 */
export interface Lock {
  /** sha256 of the lock's text without this field, `needs` and `set`. People read out its first 12 digits. */
  readonly id: Digest;
  /** `os/architecture[/variant]` sorted, or "all" alone. */
  readonly platforms: readonly string[];
  /** What became of platforms that an index names and that were not asked for. */
  readonly sparse: "keep" | "prune" | "fail";
  /** Whether referrers were looked for. */
  readonly referrers: boolean;
  /** Only of an archive with other layers than the images have: what all of them became. */
  readonly layers?: LockedLayers;
  /** Sorted by name, then by digest. */
  readonly images: readonly LockedImage[];
  /** Images that were asked for and are not in it. Sorted by name. */
  readonly left: readonly LeftImage[];
  /** What is carried. Sorted by digest. */
  readonly blobs: readonly LockedBlob[];
  /** Only of a delta: ids of the locks of its bases, as far as they have one; sorted. */
  readonly bases?: readonly Digest[];
  /** Only of a delta: layers that are left out, because the other side has them. Sorted by digest. */
  readonly assumes?: readonly AssumedBlob[];
  /**
   * Only where `blobs` do not say it, and only of a lock that is a file of its own: the configs and layers of each image with those of
   * what refers to it, as indexes in `blobs`, in the order of `images`. It is not part of the id: it serves the plan of shards alone.
   */
  readonly needs?: readonly (readonly number[])[];
  /** Only of a volume. It is not part of the id: all volumes of a bundle have the same. */
  readonly set?: LockedSet;
}

/** A lock before its id is known. */
export type LockContents = Omit<Lock, "id">;

export type LockedSparse = Lock["sparse"];
export type LockedLayers = "gzip" | "zstd" | "raw";

/** A layer that a delta does not carry. */
export interface AssumedBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** `registry/repository` of the base that have it, in the names of its images; at most MAX_REPOSITORIES, sorted. */
  readonly repositories: readonly string[];
  /** What the row of the layer in `blobs` would say, if that differs: the whole bundle has it. */
  readonly sources?: readonly string[];
}

/** Which volume of a set an archive is. */
export interface LockedSet {
  /** The same in all volumes; another one if the same bundle is split in another way. */
  readonly id: Digest;
  /** Of this volume, from 1. */
  readonly number: number;
  /** How many volumes there are. */
  readonly of: number;
  /** The volume of each blob, in the order of `blobs`; of one that is split, the volumes of its parts in order. */
  readonly where: readonly (number | readonly number[])[];
}

export interface LockedImage {
  /** Full name with a tag, a digest, or both. Empty for an image without a name. */
  readonly name: string;
  /** Of the manifest or index that the name leads to at the registry. */
  readonly digest: Digest;
  /** Of the manifest or index in the archive, if writing changed it. */
  readonly written?: Digest;
  /** `registry/repository` that has it, if that does not follow from the name. */
  readonly from?: string;
  /** If they differ from those of the lock. */
  readonly platforms?: readonly string[];
  /** All manifests below it that are carried, itself included; sorted. */
  readonly manifests: readonly Digest[];
  /** Platforms, or else digests, that the index names and that are not carried; sorted. */
  readonly absent: readonly string[];
  /** Sorted by digest, then by tag. */
  readonly referrers: readonly LockedReferrer[];
  /** Whether the registry could say which referrers there are; absent if it was not asked. */
  readonly lookup?: ReferrersLookup;
}

/** A manifest that refers to an image: a signature, an attestation, an SBOM. It has a subject, a tag, or both. */
export interface LockedReferrer {
  readonly digest: Digest;
  readonly subject?: Digest;
  /** The `artifactType` of the manifest, or else the media type of its config. */
  readonly type?: string;
  /** Tag in the repository of the image: cosign's `sha256-….sig`, `.att` or `.sbom`. */
  readonly tag?: string;
}

export interface LeftImage {
  readonly name: string;
  /** Reason, without what differs between two runs. */
  readonly why: string;
}

export type LockedKind = "manifest" | "config" | "layer";

export interface LockedBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly kind: LockedKind;
  /** `registry/repository` that have it, the first MAX_REPOSITORIES of them, sorted. Empty if none is known. */
  readonly repositories: readonly string[];
}
