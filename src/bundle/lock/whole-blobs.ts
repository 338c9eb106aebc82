import type { Lock, LockedBlob } from "./lock.ts";

/** The blobs of a bundle: those that it carries, and those of a delta that it leaves to its bases. */
export function wholeBlobs({ blobs, assumes = [] }: Pick<Lock, "blobs" | "assumes">): readonly LockedBlob[] {
  if (assumes.length === 0) return blobs;
  const assumed = assumes.map(
    ({ digest, size, repositories, sources = repositories }): LockedBlob => ({
      digest,
      size,
      kind: "layer",
      repositories: sources,
    }),
  );
  return [...blobs, ...assumed];
}
