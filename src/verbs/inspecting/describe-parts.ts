import type { ImageArchive } from "../../archive/archive-source.ts";
import { neededPieces, wholeBlobs } from "../../archive/patch/patch-target.ts";
import type { Need } from "../../bundle/need/need.ts";
import type { Digest } from "../../oci/digest.ts";

/** What a delta leaves to its bases. */
export interface InspectedDelta {
  /** Id of the bundle; absent for several deltas. */
  readonly bundle?: Digest;
  /** Ids of the bundles that it was made against, as far as they have one. */
  readonly bases: readonly Digest[];
  /** Layers that are left out: how many, and their bytes. */
  readonly assumed: { readonly blobs: number; readonly bytes: number };
  /** Digests of those that no file of the call has. */
  readonly missing: readonly Digest[];
}

/** What a need list asks for, or a patch contains. */
export interface InspectedNeed {
  /** Id of the bundle that needs it. */
  readonly of: Digest;
  /** Names of the images that are not whole without it. */
  readonly images: readonly string[];
  /** Numbers of the volumes that were missing. */
  readonly volumes: readonly number[];
  readonly blobs: { readonly count: number; readonly bytes: number };
  /** Parts of large blobs. */
  readonly pieces: { readonly count: number; readonly bytes: number };
}

/** Undefined if no file of the archive is a delta. */
export function describeDelta({ bundle, members, absent }: ImageArchive): InspectedDelta | undefined {
  const locks = members.flatMap(({ part }) => (part?.kind === "locked" && part.lock.assumes ? [part.lock] : []));
  if (locks.length === 0) return undefined;
  const assumed = new Map(locks.flatMap(({ assumes = [] }) => assumes.map(({ digest, size }) => [digest, size])));
  return {
    ...(bundle === undefined ? {} : { bundle }),
    bases: [...new Set(locks.flatMap(({ bases = [] }) => bases))].sort(),
    assumed: { blobs: assumed.size, bytes: sum(assumed.values()) },
    missing: absent.flatMap(({ digest, why }) => (why === "assumed" ? [digest] : [])),
  };
}

/** Undefined unless all files are patches. */
export function describePatch({ members }: ImageArchive): InspectedNeed | undefined {
  const [part] = members.map(member => member.part);
  return part?.kind === "patch" && members.every(member => member.part?.kind === "patch")
    ? describeNeed(part.need)
    : undefined;
}

export function describeNeed(need: Need): InspectedNeed {
  const { of, images, volumes } = need;
  const whole = wholeBlobs(need);
  const pieces = neededPieces(need);
  return {
    of,
    images,
    volumes,
    blobs: { count: whole.length, bytes: sum(whole.map(({ size }) => size)) },
    pieces: { count: pieces.length, bytes: sum(pieces.map(({ range: { start, end } }) => end - start)) },
  };
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
