import type { Digest } from "../../oci/digest.ts";
import type { LockedKind } from "../lock/lock.ts";

/** What is already on the far side: images by name, and the blobs that they consist of. */
export interface Base {
  /** Path, or `host[:port][/prefix]`, as it was given. */
  readonly where: string;
  /** A registry is known only as far as a bundle names what it may have. */
  readonly kind: "archive" | "lock" | "registry";
  /** Of its lock, if it has one. */
  readonly id?: Digest | undefined;
  readonly images: readonly NamedDigest[];
  readonly blobs: ReadonlyMap<Digest, BaseBlob>;
  /**
   * True if layers are uncompressed, as `docker save` writes them. Nothing says which compressed layers of a registry they
   * are.
   */
  readonly hasRawLayers: boolean;
}

export interface NamedDigest {
  /** Full name with a tag, a digest, or both. Empty for an image without a name. */
  readonly name: string;
  /** Of the manifest or index; of the config for an image of a docker archive, which has no manifest yet. */
  readonly digest: Digest;
}

export interface BaseBlob {
  /** Bytes. */
  readonly size: number;
  readonly kind: LockedKind;
  /** `registry/repository` in the names of the images, before a target maps them. Empty if none is known. */
  readonly repositories: readonly string[];
}

/** The images of an archive or a lock, and which blobs each of them has. */
export interface Bundle extends Base {
  readonly images: readonly BundleImage[];
}

export interface BundleImage extends NamedDigest {
  /**
   * Lists of blobs, manifests among them. Images that share a list have the same array, so that each is walked once. A lock
   * does not say which image of a repository has which layer: all of them share what the repository has.
   */
  readonly parts: readonly (readonly Digest[])[];
}

/** Whether a base has the very blob. */
export function holdsBlob({ blobs }: Pick<Base, "blobs">, digest: Digest, size: number): boolean {
  return blobs.get(digest)?.size === size;
}
