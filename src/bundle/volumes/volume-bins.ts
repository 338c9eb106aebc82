import type { Digest } from "../../oci/digest.ts";
import { RoomTree } from "./room-tree.ts";
import { entryBytes, type PackedBlob, type PackedImage, partThatFits, type VolumeRequest } from "./volume-request.ts";

/** A blob, or what is left of one that is larger than a volume. */
export interface Item {
  readonly blob: PackedBlob;
  /** First byte that is still to be placed. */
  readonly from: number;
}

interface PlacedPart {
  readonly from: number;
  readonly to: number;
  readonly bin: number;
}

interface Bin {
  /** Bytes left for names, in both lists. */
  readonly names: [number, number];
  readonly images: Set<number>;
}

/** Volumes while they are filled. */
export class VolumeBins {
  readonly bins: readonly Bin[];
  /** Where each blob is; one that is split has several parts. */
  readonly placed: Map<Digest, PlacedPart[]> = new Map();
  /** Images that one of the volumes names. */
  readonly #named = new Set<number>();
  readonly #request: VolumeRequest;
  readonly #rooms: RoomTree;
  /** Blobs that are split already: the rest of each is placed later. */
  readonly #rest = new Map<Digest, number>();

  constructor(request: VolumeRequest, count: number) {
    this.#request = request;
    const { maxNamesBytes } = request;
    this.#rooms = new RoomTree(count, this.#capacity);
    this.bins = Array.from({ length: count }, () => ({
      names: [maxNamesBytes, maxNamesBytes],
      images: new Set(),
    }));
  }

  /** Bytes left in a volume. */
  roomOf(bin: number): number {
    return this.#rooms.roomOf(bin);
  }

  /** The first volume with so many bytes left; -1 if there is none. */
  firstWith(bytes: number, from?: number): number {
    return this.#rooms.firstWith(bytes, from);
  }

  /** What is still to be placed of a blob. */
  item(blob: PackedBlob): Item | undefined {
    const from = this.#rest.get(blob.digest) ?? 0;
    return this.placed.get(blob.digest)?.at(-1)?.to === blob.size ? undefined : { blob, from };
  }

  bytesOf({ blob: { size }, from }: Item): number {
    return entryBytes(this.#request, size - from, from > 0);
  }

  put({ blob: { digest, size }, from }: Item, bin: number, to: number = size): void {
    this.#take(bin, entryBytes(this.#request, to - from, from > 0 || to < size));
    const parts = this.placed.get(digest) ?? [];
    parts.push({ from, to, bin });
    this.placed.set(digest, parts);
    if (to < size) this.#rest.set(digest, to);
  }

  /** Fills volumes of their own with a blob that is larger than one. @returns false if there are too few. */
  putLarge(blob: PackedBlob): boolean {
    for (;;) {
      const item = this.item(blob);
      if (item === undefined) return true;
      const bin = this.firstWith(this.#capacity);
      if (this.bytesOf(item) <= this.#capacity) return true;
      const bytes = partThatFits(this.#request, this.#capacity);
      if (bin === -1 || bytes === 0 || !blob.isDivisible) return false;
      this.put(item, bin, item.from + bytes);
    }
  }

  /** Spreads a blob over what is left of volumes, in as few parts as possible. @returns false if it does not fit. */
  putSplit(blob: PackedBlob): boolean {
    // Each volume has at most one part of it.
    const used = new Map<number, number>();
    const use = (bin: number): void => {
      used.set(bin, this.roomOf(bin));
      this.#rooms.set(bin, -1);
    };
    for (const { bin } of this.placed.get(blob.digest) ?? []) use(bin);
    const isPlaced = this.#placeSplit(blob, use);
    for (const [bin, room] of used) this.#rooms.set(bin, room);
    return isPlaced;
  }

  #placeSplit(blob: PackedBlob, use: (bin: number) => void): boolean {
    for (;;) {
      const item = this.item(blob);
      if (item === undefined) return true;
      const bin = this.#rooms.roomiest();
      const room = this.roomOf(bin);
      if (room >= this.bytesOf(item)) {
        this.put(item, bin);
        return true;
      }
      const bytes = partThatFits(this.#request, room);
      if (bytes === 0 || !blob.isDivisible) return false;
      this.put(item, bin, item.from + bytes);
      use(bin);
    }
  }

  /** Takes room for the names of an image, once. @returns false if there is none. */
  name(image: PackedImage, index: number, bin: number): boolean {
    const at = this.bins[bin];
    if (at === undefined) return false;
    if (at.images.has(index)) return true;
    const [inIndex, inDocker] = image.nameBytes;
    if (this.roomOf(bin) < inIndex + inDocker || !this.hasNames(image.nameBytes, bin)) return false;
    this.#take(bin, inIndex + inDocker);
    at.names[0] -= inIndex;
    at.names[1] -= inDocker;
    at.images.add(index);
    this.#named.add(index);
    return true;
  }

  /** Bytes that both lists need for images that are not named yet. */
  namesOf(indexes: readonly number[]): readonly [index: number, docker: number] {
    const sum: [number, number] = [0, 0];
    for (const index of indexes) {
      const [inIndex, inDocker] = this.#named.has(index) ? [0, 0] : (this.#request.images[index]?.nameBytes ?? [0, 0]);
      sum[0] += inIndex;
      sum[1] += inDocker;
    }
    return sum;
  }

  hasNames([inIndex, inDocker]: readonly [number, number], bin: number): boolean {
    const [index, docker] = this.bins[bin]?.names ?? [0, 0];
    return inIndex <= index && inDocker <= docker;
  }

  /** The one volume that has all of these blobs whole; undefined if there is none. */
  homeOf(blobs: readonly Digest[]): number | undefined {
    const homes = new Set(
      blobs.map(digest => {
        const [part, ...others] = this.placed.get(digest) ?? [];
        return others.length > 0 ? undefined : part?.bin;
      }),
    );
    const [home] = homes;
    return homes.size === 1 ? home : undefined;
  }

  get #capacity(): number {
    return this.#request.volumeBytes - this.#request.metadataBytes;
  }

  #take(bin: number, bytes: number): void {
    this.#rooms.set(bin, this.roomOf(bin) - bytes);
  }
}
