import type { Digest } from "../../oci/digest.ts";
import { append, appendTo } from "../../util/append.ts";
import { nextTurn } from "../../util/time/next-turn.ts";
import { MAX_VOLUMES } from "../lock/lock-schema.ts";
import { type Item, VolumeBins } from "./volume-bins.ts";
import {
  entryBytes,
  type PackedBlob,
  type PackedImage,
  type PackedVolume,
  partThatFits,
  type VolumeBytes,
  type VolumeContentsRequest,
  type VolumeRequest,
} from "./volume-request.ts";

type Way = "together" | "whole" | "split";

interface Group {
  readonly images: readonly number[];
  /** Of all of them, each once. */
  readonly blobs: readonly PackedBlob[];
  readonly bytes: number;
}

type Filled = Packing & VolumeBytes;

/** What is to be spread, looked through once for any size of volumes. */
export interface Packing extends VolumeContentsRequest {
  readonly byDigest: ReadonlyMap<Digest, PackedBlob>;
  /** The blobs from the largest to the smallest. */
  readonly sorted: readonly PackedBlob[];
  /** What each image needs, in the order of the images. */
  readonly closures: readonly (readonly PackedBlob[])[];
  readonly groups: readonly Group[];
}

export function packingOf(request: VolumeContentsRequest): Packing {
  const byDigest = new Map(request.blobs.map(blob => [blob.digest, blob]));
  const closures = request.images.map(({ blobs, others }) =>
    [...new Set([...blobs, ...others])].map(digest => byDigest.get(digest)).filter(isPresent),
  );
  const { blobs, images, hashBytes, maxNamesBytes } = request;
  const sorted = [...blobs].sort(bySize);
  return { blobs, images, hashBytes, maxNamesBytes, byDigest, sorted, closures, groups: groupsOf(images, closures) };
}

/**
 * Spreads blobs over volumes. Images stay together as far as the number of volumes allows, blobs are split only if they are
 * larger than a volume, or if more volumes than one over the least possible number were needed otherwise. The same request
 * in any order gives the same volumes. Other work can run in between.
 *
 * @returns undefined if the volumes are too small, or would be too many.
 */
export async function packVolumes(
  packing: Packing,
  size: VolumeBytes,
  signal?: AbortSignal,
): Promise<readonly PackedVolume[] | undefined> {
  const request = { ...packing, ...size };
  const least = leastVolumes(request);
  if (least > MAX_VOLUMES) return undefined;
  const tries: readonly (readonly [number, Way])[] = [
    [least, "together"],
    [least + 1, "together"],
    [least, "whole"],
    [least + 1, "whole"],
    [least + 1, "split"],
    // So small that the ends of volumes, which no part fits into, add up to a volume.
    ...countsAbove(least).map(count => [count, "split"] as const),
  ];
  for (const [count, way] of tries) {
    const bins = fill(request, count, way);
    if (bins !== undefined) return volumesOf(request, bins);
    await nextTurn(signal);
  }
  return undefined;
}

function countsAbove(least: number): readonly number[] {
  const counts: number[] = [];
  for (let count = least + 2; count <= Math.min(MAX_VOLUMES, least * 2 + 2); count += Math.ceil(count / 16))
    counts.push(count);
  return counts;
}

/** Fewer volumes have too few bytes; at least 1, and infinite if one of the blobs does not fit into any number of them. */
export function leastVolumes(request: VolumeRequest): number {
  const capacity = request.volumeBytes - request.metadataBytes;
  const part = partThatFits(request, capacity);
  const isTooLarge = ({ size, isDivisible }: PackedBlob): boolean =>
    (!isDivisible || part === 0) && entryBytes(request, size, false) > capacity;
  if (capacity <= 0 || request.blobs.some(isTooLarge)) return Number.POSITIVE_INFINITY;
  const blobs = request.blobs.reduce((sum, { size }) => sum + bytesInVolumes(request, size, capacity, part), 0);
  const names = request.images.reduce((sum, { nameBytes: [index, docker] }) => sum + index + docker, 0);
  return Math.max(1, Math.ceil((blobs + names) / capacity));
}

/** Of a blob, with a header for each part if it is larger than a volume. */
function bytesInVolumes(request: VolumeRequest, size: number, capacity: number, part: number): number {
  const whole = entryBytes(request, size, false);
  if (whole <= capacity) return whole;
  const full = Math.ceil(size / part) - 1;
  return full * entryBytes(request, part, true) + entryBytes(request, size - full * part, true);
}

/** Images that share a blob, by the largest one that each shares; the largest groups first. */
function groupsOf(images: readonly PackedImage[], closures: Packing["closures"]): readonly Group[] {
  const uses = new Map<PackedBlob, number>();
  for (const closure of closures) for (const blob of closure) uses.set(blob, (uses.get(blob) ?? 0) + 1);
  const keys = new Map<string, number[]>();
  for (const [index, closure] of closures.entries()) {
    const [largest] = closure.filter(blob => (uses.get(blob) ?? 0) > 1).sort(bySize);
    appendTo(keys, largest?.digest ?? `alone ${index}`, index);
  }
  const bytesOf = (blobs: readonly PackedBlob[]): number => blobs.reduce((sum, { size }) => sum + size, 0);
  const sizes = closures.map(bytesOf);
  const digestAt = (index = -1): string => images[index]?.digest ?? "";
  return [...keys.values()]
    .map(indexes => {
      const sorted = indexes.toSorted(
        (left, right) => (sizes[right] ?? 0) - (sizes[left] ?? 0) || compare(digestAt(left), digestAt(right)),
      );
      const blobs = [...new Set(sorted.flatMap(index => closures[index] ?? []))];
      return { images: sorted, blobs, bytes: bytesOf(blobs) };
    })
    .sort((left, right) => right.bytes - left.bytes || compare(digestAt(left.images[0]), digestAt(right.images[0])));
}

function fill(request: Filled, count: number, way: Way): VolumeBins | undefined {
  const bins = new VolumeBins(request, count);
  const capacity = request.volumeBytes - request.metadataBytes;
  for (const blob of request.sorted)
    if (entryBytes(request, blob.size, false) > capacity && !bins.putLarge(blob)) return undefined;
  const later: PackedBlob[] = [];
  const place = (indexes: readonly number[], blobs: readonly PackedBlob[]): boolean => {
    const items = blobs.map(blob => bins.item(blob)).filter(isPresent);
    const bin = binFor(bins, items, blobs, indexes);
    if (bin === undefined) return false;
    for (const item of items) bins.put(item, bin);
    for (const index of indexes) {
      const image = request.images[index];
      if (image !== undefined && bins.homeOf(image.blobs) === bin) bins.name(image, index, bin);
    }
    return true;
  };
  for (const { images, blobs } of request.groups) {
    if (place(images, blobs)) continue;
    for (const index of images) {
      const own = request.closures[index] ?? [];
      if (place([index], own)) continue;
      // One that is larger than a volume never is together.
      if (way === "together" && bytesOf(request, own, index) <= capacity) return undefined;
      append(later, own);
    }
  }
  // What no image needs comes last: there is none of it in a bundle.
  for (const blob of [...new Set([...later.sort(bySize), ...request.sorted])]) {
    const item = bins.item(blob);
    if (item === undefined) continue;
    const bin = bins.firstWith(bins.bytesOf(item));
    if (bin !== -1) bins.put(item, bin);
    else if (way !== "split" || !bins.putSplit(blob)) return undefined;
  }
  return bins;
}

function bytesOf(request: Filled, blobs: readonly PackedBlob[], index: number): number {
  const [inIndex = 0, inDocker = 0] = request.images[index]?.nameBytes ?? [];
  return blobs.reduce((sum, { size }) => sum + entryBytes(request, size, false), inIndex + inDocker);
}

/** The volume that has most of the images already, or else the first with room. */
function binFor(
  bins: VolumeBins,
  items: readonly Item[],
  blobs: readonly PackedBlob[],
  indexes: readonly number[],
): number | undefined {
  const names = bins.namesOf(indexes);
  const [inIndex, inDocker] = names;
  const needed = items.reduce((sum, item) => sum + bins.bytesOf(item), 0);
  const withNames = needed + inIndex + inDocker;
  const home = mostOf(bins, blobs);
  const fits = (bin: number, bytes: number): boolean => bins.roomOf(bin) >= bytes;
  if (home !== undefined && fits(home, withNames) && bins.hasNames(names, home)) return home;
  let first = bins.firstWith(withNames);
  while (first !== -1 && !bins.hasNames(names, first)) first = bins.firstWith(withNames, first + 1);
  if (first !== -1) return first;
  for (const bytes of [withNames, needed]) {
    if (home !== undefined && fits(home, bytes)) return home;
    const found = bins.firstWith(bytes);
    if (found !== -1) return found;
  }
  return undefined;
}

function mostOf(bins: VolumeBins, blobs: readonly PackedBlob[]): number | undefined {
  const bytes = new Map<number, number>();
  for (const { digest } of blobs) {
    for (const { bin, from, to } of bins.placed.get(digest) ?? []) bytes.set(bin, (bytes.get(bin) ?? 0) + to - from);
  }
  let most: number | undefined;
  for (const [bin, count] of bytes) {
    const best = most === undefined ? -1 : (bytes.get(most) ?? 0);
    if (count > best || (count === best && bin < (most ?? 0))) most = bin;
  }
  return most;
}

function volumesOf(request: Filled, bins: VolumeBins): readonly PackedVolume[] {
  const images = [...request.images.entries()].sort(([, left], [, right]) => compare(left.digest, right.digest));
  for (const [index, image] of images) {
    const home = bins.homeOf(image.blobs);
    if (home !== undefined) bins.name(image, index, home);
  }
  const volumes = bins.bins.map(({ images }) => ({
    blobs: [] as Digest[],
    parts: [] as { digest: Digest; part: number; from: number; to: number }[],
    images: [...images].sort((left, right) => left - right),
  }));
  for (const [digest, parts] of [...bins.placed].sort(([left], [right]) => compare(left, right))) {
    for (const [index, { from, to, bin }] of parts.entries()) {
      if (parts.length === 1) volumes[bin]?.blobs.push(digest);
      else volumes[bin]?.parts.push({ digest, part: index + 1, from, to });
    }
  }
  const used = volumes.filter(({ blobs, parts }) => blobs.length + parts.length > 0);
  return used.length === 0 ? volumes.slice(0, 1) : used;
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function bySize(left: PackedBlob, right: PackedBlob): number {
  return right.size - left.size || compare(left.digest, right.digest);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
