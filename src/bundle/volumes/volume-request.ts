import type { Digest } from "../../oci/digest.ts";

/** Bytes of a tar header, and the border that bodies end at. */
export const BLOCK_BYTES = 512;

/** What is to be spread over volumes. */
export interface VolumeContentsRequest {
  /** Each digest once. */
  readonly blobs: readonly PackedBlob[];
  readonly images: readonly PackedImage[];
  /** Bytes that each list of names may have; loaders refuse longer ones. */
  readonly maxNamesBytes: number;
  /** Bytes of the hashes of a blob, or of a part of one. */
  hashBytes(bytes: number, isPart: boolean): number;
}

/** How large volumes are. */
export interface VolumeBytes {
  /** No volume is larger. */
  readonly volumeBytes: number;
  /** Of each volume, whatever is in it: the lock, the end of the tar. */
  readonly metadataBytes: number;
}

export interface VolumeRequest extends VolumeContentsRequest, VolumeBytes {}

export interface PackedBlob {
  readonly digest: Digest;
  readonly size: number;
  /** False for a blob that must stay in one piece. */
  readonly isDivisible: boolean;
}

export interface PackedImage {
  /** Decides the order of images of the same size. */
  readonly digest: Digest;
  /** A volume that has all of these can be loaded alone. */
  readonly blobs: readonly Digest[];
  /** What belongs next to them if there is room: signatures. */
  readonly others: readonly Digest[];
  /** Bytes of its names in `index.json` and in `manifest.json`. */
  readonly nameBytes: readonly [index: number, docker: number];
}

/** What one volume gets. */
export interface PackedVolume {
  /** Sorted. */
  readonly blobs: readonly Digest[];
  /** Sorted by digest; at most one of each blob. */
  readonly parts: readonly PackedPart[];
  /** Images that are whole in it, and are named: indexes into `images` of the request, ascending. */
  readonly images: readonly number[];
}

/** Bytes `from` to `to - 1` of a blob that is split. */
export interface PackedPart {
  readonly digest: Digest;
  /** From 1, in the order of the blob's bytes. */
  readonly part: number;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** Bytes of an entry in a volume. */
export function entryBytes(request: VolumeRequest, bytes: number, isPart: boolean): number {
  return BLOCK_BYTES + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES + request.hashBytes(bytes, isPart);
}

/** The largest part of a blob that fits; 0 if none does. */
export function partThatFits(request: VolumeRequest, room: number): number {
  const bytes = room - BLOCK_BYTES - request.hashBytes(Math.max(0, room), true);
  return Math.max(0, Math.floor(bytes / BLOCK_BYTES) * BLOCK_BYTES);
}
