import type { Digest } from "../../oci/digest.ts";
import { append, appendTo } from "../../util/append.ts";
import { MAX_VOLUMES } from "../lock/lock-schema.ts";
import { type Item, VolumeBins } from "./volume-bins.ts";
import {
  entryBytes,
  type PackedBlob,
  type PackedImage,
  type PackedVolume,
  partThatFits,
  type VolumeRequest,
} from "./volume-request.ts";

type Way = "together" | "whole" | "split";

interface Group {
  readonly images: readonly number[];
  readonly bytes: number;
}

/**
 * Spreads blobs over volumes. Images stay together as far as the number of volumes allows, blobs are split only if they are
 * larger than a volume, or if more volumes than one over the least possible number were needed otherwise. The same request
 * in any order gives the same volumes.
 *
 * @returns undefined if the volumes are too small, or would be too many.
 */
export function packVolumes(request: VolumeRequest): readonly PackedVolume[] | undefined {
  const least = leastVolumes(request);
  if (least > MAX_VOLUMES) return undefined;
  const groups = groupsOf(request);
  const tries: readonly (readonly [number, Way])[] = [
    [least, "together"],
    [least + 1, "together"],
    [least, "whole"],
    [least + 1, "whole"],
    [least + 1, "split"],
  ];
  for (const [count, way] of tries) {
    const bins = fill(request, groups, count, way);
    if (bins !== undefined) return volumesOf(request, bins);
  }
  // So small that the ends of volumes, which no part fits into, add up to a volume.
  for (let count = least + 2; count <= Math.min(MAX_VOLUMES, least * 2 + 2); count += Math.ceil(count / 16)) {
    const bins = fill(request, groups, count, "split");
    if (bins !== undefined) return volumesOf(request, bins);
  }
  return undefined;
}

/** Fewer volumes have too few bytes; at least 1. */
export function leastVolumes(request: VolumeRequest): number {
  const capacity = request.volumeBytes - request.metadataBytes;
  if (capacity <= 0) return Number.POSITIVE_INFINITY;
  const blobs = request.blobs.reduce((sum, { size }) => sum + bytesInVolumes(request, size, capacity), 0);
  const names = request.images.reduce((sum, { nameBytes: [index, docker] }) => sum + index + docker, 0);
  return Math.max(1, Math.ceil((blobs + names) / capacity));
}

/** Of a blob, with a header for each part if it is larger than a volume. */
function bytesInVolumes(request: VolumeRequest, size: number, capacity: number): number {
  const whole = entryBytes(request, size, false);
  const part = partThatFits(request, capacity);
  if (whole <= capacity || part === 0) return whole;
  const full = Math.ceil(size / part) - 1;
  return full * entryBytes(request, part, true) + entryBytes(request, size - full * part, true);
}

/** Images that share a blob, by the largest one that each shares; the largest groups first. */
function groupsOf(request: VolumeRequest): readonly Group[] {
  const { images } = request;
  const blobs = blobsByDigest(request);
  const uses = new Map<Digest, number>();
  for (const image of images) for (const digest of closure(image)) uses.set(digest, (uses.get(digest) ?? 0) + 1);
  const keys = new Map<string, number[]>();
  for (const [index, image] of images.entries()) {
    const shared = [...closure(image)].filter(digest => (uses.get(digest) ?? 0) > 1).map(digest => blobs.get(digest));
    const [largest] = shared.filter(isPresent).sort(bySize);
    appendTo(keys, largest?.digest ?? `alone ${index}`, index);
  }
  const bytesOf = (indexes: readonly number[]): number => {
    const digests = new Set(indexes.flatMap(index => [...closure(images[index])]));
    return [...digests].reduce((sum, digest) => sum + (blobs.get(digest)?.size ?? 0), 0);
  };
  const firstOf = ({ images: [index = 0] }: Group): string => images[index]?.digest ?? "";
  return [...keys.values()]
    .map(indexes => {
      const sizes = new Map(indexes.map(index => [index, bytesOf([index])]));
      const sorted = indexes.toSorted(
        (left, right) =>
          (sizes.get(right) ?? 0) - (sizes.get(left) ?? 0) ||
          compare(images[left]?.digest ?? "", images[right]?.digest ?? ""),
      );
      return { images: sorted, bytes: bytesOf(indexes) };
    })
    .sort((left, right) => right.bytes - left.bytes || compare(firstOf(left), firstOf(right)));
}

function fill(request: VolumeRequest, groups: readonly Group[], count: number, way: Way): VolumeBins | undefined {
  const bins = new VolumeBins(request, count);
  const blobs = blobsByDigest(request);
  const capacity = request.volumeBytes - request.metadataBytes;
  const sorted = [...request.blobs].sort(bySize);
  for (const blob of sorted)
    if (entryBytes(request, blob.size, false) > capacity && !bins.putLarge(blob)) return undefined;
  const later: PackedBlob[] = [];
  const place = (indexes: readonly number[]): boolean => {
    const images = indexes.map(index => request.images[index]).filter(image => image !== undefined);
    const digests = new Set(images.flatMap(image => [...closure(image)]));
    const found = [...digests].map(digest => blobs.get(digest)).filter(isPresent);
    const items = found.map(blob => bins.item(blob)).filter(item => item !== undefined);
    const bin = binFor(bins, items, images, indexes);
    if (bin === undefined) return false;
    for (const item of items) bins.put(item, bin);
    for (const [position, image] of images.entries())
      if (bins.homeOf(image.blobs) === bin) bins.name(image, indexes[position] ?? -1, bin);
    return true;
  };
  for (const { images } of groups) {
    if (place(images)) continue;
    for (const index of images) {
      if (place([index])) continue;
      // One that is larger than a volume never is together.
      if (way === "together" && bytesOf(request, blobs, index) <= capacity) return undefined;
      append(later, [...closure(request.images[index])].map(digest => blobs.get(digest)).filter(isPresent));
    }
  }
  // What no image needs comes last: there is none of it in a bundle.
  for (const blob of [...new Set([...later.sort(bySize), ...sorted])]) {
    const item = bins.item(blob);
    if (item === undefined) continue;
    const bin = bins.bins.findIndex(({ room }) => room >= bins.bytesOf(item));
    if (bin !== -1) bins.put(item, bin);
    else if (way !== "split" || !bins.putSplit(blob)) return undefined;
  }
  return bins;
}

function bytesOf(request: VolumeRequest, blobs: ReadonlyMap<Digest, PackedBlob>, index: number): number {
  const image = request.images[index];
  const [inIndex = 0, inDocker = 0] = image?.nameBytes ?? [];
  const found = [...closure(image)].map(digest => blobs.get(digest)).filter(isPresent);
  return found.reduce((sum, { size }) => sum + entryBytes(request, size, false), inIndex + inDocker);
}

/** The volume that has most of the images already, or else the first with room. */
function binFor(
  bins: VolumeBins,
  items: readonly Item[],
  images: readonly PackedImage[],
  indexes: readonly number[],
): number | undefined {
  const waiting = images.filter((_, position) => !bins.bins.some(bin => bin.images.has(indexes[position] ?? -1)));
  const names = [0, 1].map(list => waiting.reduce((sum, { nameBytes }) => sum + (nameBytes[list] ?? 0), 0));
  const [inIndex = 0, inDocker = 0] = names;
  const needed = items.reduce((sum, item) => sum + bins.bytesOf(item), 0);
  const home = mostOf(bins, images);
  const order = [...(home === undefined ? [] : [home]), ...bins.bins.keys()];
  const fits = (bin: number): boolean => (bins.bins[bin]?.room ?? 0) >= needed + inIndex + inDocker;
  return (
    order.find(bin => fits(bin) && bins.hasNames([inIndex, inDocker], bin)) ??
    order.find(fits) ??
    order.find(bin => (bins.bins[bin]?.room ?? 0) >= needed)
  );
}

function mostOf(bins: VolumeBins, images: readonly PackedImage[]): number | undefined {
  const bytes = new Map<number, number>();
  for (const digest of new Set(images.flatMap(image => [...closure(image)]))) {
    for (const { bin, from, to } of bins.placed.get(digest) ?? []) bytes.set(bin, (bytes.get(bin) ?? 0) + to - from);
  }
  return [...bytes].sort(([left, most], [right, more]) => more - most || left - right)[0]?.[0];
}

function volumesOf(request: VolumeRequest, bins: VolumeBins): readonly PackedVolume[] {
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

function closure(image: PackedImage | undefined): ReadonlySet<Digest> {
  return new Set([...(image?.blobs ?? []), ...(image?.others ?? [])]);
}

function blobsByDigest({ blobs }: VolumeRequest): ReadonlyMap<Digest, PackedBlob> {
  return new Map(blobs.map(blob => [blob.digest, blob]));
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
