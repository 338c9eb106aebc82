import type { ImageState } from "../../../bundle/base/compare-bundles.ts";
import type { Digest } from "../../../oci/digest.ts";

/** What a bundle brings, for the desk that lets it through. */
export interface TransferReport {
  readonly kind: "transfer-report";
  /** RFC 3339; only if it was given. */
  readonly date?: string;
  /** Of the lock, which names all images and blobs. Absent for archives without one, and for several with one. */
  readonly id?: Digest;
  /** What public keys say about the archive as a whole. Absent without a key. */
  readonly signature?: TransferSignature;
  /** What it was compared with, or what it says that the far side has. */
  readonly bases: readonly TransferBase[];
  /** Whether it was compared with `bases`: without that, no image has a state. */
  readonly compared: boolean;
  readonly counts: TransferCounts;
  readonly bytes: TransferBytes;
  readonly files: readonly TransferFile[];
  /** Only of a set of volumes. */
  readonly volumes?: TransferVolumes;
  /** What it names and does not bring, and why. */
  readonly left: readonly LeftOut[];
  /** Sorted by name, then by digest; those that are gone are among them. */
  readonly images: readonly TransferImage[];
}

export interface TransferSignature {
  /** "refused" if it is there and does not count. */
  readonly state: "signed" | "unsigned" | "refused";
  /** sha256 of the key that made it, in DER (SubjectPublicKeyInfo); only if "signed". */
  readonly key?: Digest;
}

export interface TransferBase {
  /** Of its lock, if it has one. */
  readonly id?: Digest;
  /** Path or `host[:port][/prefix]`, as it was given. Absent for a base that only the bundle names. */
  readonly source?: string;
}

export interface TransferCounts {
  /** Names in the bundle; those that are gone are not counted. */
  readonly images: number;
  /** Only if it was compared. */
  readonly new?: number;
  readonly changed?: number;
  readonly unchanged?: number;
  /** Names of the bases that the bundle does not have. */
  readonly gone?: number;
}

/** Bytes of blobs, each blob counted once. */
export interface TransferBytes {
  /** In these files. */
  readonly carried: number;
  /** Of all that the images need: what a delta leaves to its bases, and what is in missing volumes, included. */
  readonly all: number;
  /** Of `all`, those that no base has. Only if it was compared. */
  readonly new?: number;
  /** Of `all`, those that a base has: `new + shared = all`. Only if it was compared. */
  readonly shared?: number;
}

export interface TransferFile {
  /** Without its folder. */
  readonly name: string;
  /** Number of a volume. */
  readonly volume?: number;
  /** Bytes of the file. Of a folder, of its blobs. */
  readonly size: number;
  /** Of the file. Absent for a folder, and where it was not computed. */
  readonly sha256?: string;
}

export interface TransferVolumes {
  /** Number of volumes that the set has. */
  readonly of: number;
  /** Numbers of those that are not there. */
  readonly missing: readonly number[];
}

/**
 * Something that is named and is not brought. "image": it was asked for, and could not be had. "platform": it was not asked
 * for. "base": layers that the far side has. "foreign": layers that only their publisher may give away. "volume": what a
 * missing volume has. "referrers": signatures that the source could not be asked for. "damage": an image that is not whole.
 */
export interface LeftOut {
  readonly kind: "image" | "platform" | "base" | "foreign" | "volume" | "referrers" | "damage";
  /** For people, with foreign names. */
  readonly what: string;
  /** For people. */
  readonly why: string;
  /** As far as they are known. */
  readonly bytes?: number;
}

export interface TransferImage {
  /** Full name with a tag or a digest; empty for an image without a name. */
  readonly name: string;
  /** Of the manifest or index. Absent for an image that is gone. */
  readonly digest?: Digest;
  /** What became of it; only if it was compared. */
  readonly state?: ImageState;
  /** What the name meant in the bases, if that was something else. */
  readonly was?: readonly Digest[];
  /** What it is, if it is no image that runs: `Helm chart`, or the type that it states. */
  readonly artifact?: string;
  /** Those that it brings. One for an image without an index; none for one that is gone, or that is not known. */
  readonly platforms: readonly TransferPlatform[];
  /** Platforms, or else digests, that its index names and that it does not bring. */
  readonly absent: readonly string[];
  /** Of all its platforms, each blob once. Absent for one that is gone, and where not all of it is known. */
  readonly bytes?: number;
  /**
   * Of these, those that no base has; each blob counts for one image alone, so that they add up. Only if it was compared;
   * absent where not all of the image is known.
   */
  readonly newBytes?: number;
  readonly referrers: TransferReferrers;
}

/** Counted; `verified` alone is checked. "unknown": the source could not say, or was not asked. */
export interface TransferReferrers {
  readonly signatures: number | "unknown";
  readonly sboms: number | "unknown";
  readonly attestations: number | "unknown";
  /** Signatures of this digest that one of the keys made. Absent without a key. */
  readonly verified?: number;
  /** Signatures that are by none of the keys, or of something else. Absent without a key. */
  readonly refused?: number;
}

export interface TransferPlatform {
  /** `os/architecture[/variant]`; absent for an artifact. */
  readonly platform?: string;
  /** Of the manifest. */
  readonly digest: Digest;
  /** Of its manifest, config and layers. */
  readonly bytes: number;
  /** RFC 3339, as written. */
  readonly created?: string;
  /** The label or annotation `org.opencontainers.image.licenses`, as written. */
  readonly licenses?: string;
}
