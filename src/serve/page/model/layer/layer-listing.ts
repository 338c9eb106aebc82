import type { LayerEntry } from "./layer-entry.ts";

/** Entries that are listed; those after them are only counted. */
export const MAX_LISTED_ENTRIES = 100_000;
/** Characters of all paths and link targets together: about twice as many bytes of memory at most. */
export const MAX_LISTED_CHARACTERS: number = 8 * 1024 * 1024;
/** Bytes of the tar that are read: a layer of 1 GiB can inflate to a thousand times as much. */
export const MAX_UNPACKED_BYTES: number = 16 * 1024 ** 3;
/** A person waits for it. */
export const MAX_READING_MS = 30_000;
/** Files that are shown as the largest. */
export const MAX_LARGEST = 8;

/** Why a list has not all entries of its layer. */
export type ListingGap =
  /** More than MAX_LISTED_ENTRIES entries, or MAX_LISTED_CHARACTERS: all are counted, the first ones are listed. */
  | { readonly kind: "too-many" }
  /** The tar was read up to here only. */
  | { readonly kind: "too-large" | "too-slow" }
  /** It inflates to more than a thousand times its size: `found` says it. */
  | { readonly kind: "bomb"; readonly found: string }
  /** It is no tar: a layer of an artifact can be anything. */
  | { readonly kind: "not-a-tar" }
  /** From here on the bytes are no tar, or no compressed data. Its digest is right: it was made so. */
  | { readonly kind: "malformed"; readonly found: string };

/** What is in a layer, as its tar says. */
export interface LayerListing {
  /** By path, at most MAX_LISTED_ENTRIES; two entries of one path in the order of the tar. */
  readonly entries: readonly LayerEntry[];
  /** Of all entries that were read, listed or not. */
  readonly counts: {
    readonly all: number;
    readonly files: number;
    readonly folders: number;
    /** Whiteouts, opaque ones too. */
    readonly deletions: number;
  };
  /** Sum of the sizes of all files. */
  readonly unpackedBytes: number;
  /** The largest files, largest first. */
  readonly largest: readonly LayerEntry[];
  readonly gap: ListingGap | undefined;
}
