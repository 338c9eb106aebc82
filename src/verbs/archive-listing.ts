import type { Lock, LockedImage } from "../bundle/lock/lock.ts";
import type { Digest } from "../oci/digest.ts";

/** What the lock of an archive says of its images: less than an inspection, in the time of a table of contents. */
export interface ArchiveListing {
  readonly kind: "listing";
  /** Of the lock. */
  readonly id: Digest;
  readonly images: readonly ImageRow[];
  /** Number of blobs, manifests included. */
  readonly blobs: number;
  /** Sum over all blobs, each counted once. */
  readonly bytes: number;
  /** Number of images that were asked for and are not in the archive. */
  readonly left: number;
  /** Only of a delta: layers that are left out, because its bases have them. */
  readonly assumed?: { readonly blobs: number; readonly bytes: number };
}

/** An image of an archive in a list. */
export interface ImageRow {
  /** Empty for an image without a name. */
  readonly name: string;
  /** Of the manifest or index in the archive. */
  readonly digest: Digest;
  /** `os/architecture[/variant]` that were asked for, or "all" alone. */
  readonly platforms: readonly string[];
  /** Number of manifests that refer to it; undefined where that is not known. */
  readonly referrers: number | undefined;
}

export function archiveListing({ id, images, platforms, blobs, left, referrers, assumes }: Lock): ArchiveListing {
  return {
    kind: "listing",
    id,
    images: images.map(image => ({
      name: image.name,
      digest: image.written ?? image.digest,
      platforms: image.platforms ?? platforms,
      referrers: referrers ? referrersOf(image) : undefined,
    })),
    blobs: blobs.length,
    bytes: bytesOf(blobs),
    left: left.length,
    ...(assumes === undefined ? {} : { assumed: { blobs: assumes.length, bytes: bytesOf(assumes) } }),
  };
}

function bytesOf(blobs: readonly { readonly size: number }[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}

/** Without a complete lookup, none is not zero. */
function referrersOf({ referrers, lookup }: LockedImage): number | undefined {
  return referrers.length === 0 && lookup !== "complete" ? undefined : referrers.length;
}
