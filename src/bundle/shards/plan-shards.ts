import { appendTo, largest } from "../../util/append.ts";
import { type Piece, ShardLoads } from "./shard-loads.ts";

/** An image to be sent. */
export interface ShardImage {
  /** Different for each image, and the same in every run. */
  readonly key: string;
  readonly blobs: readonly ShardBlob[];
}

export interface ShardBlob {
  readonly digest: string;
  /** In bytes. */
  readonly size: number;
}

/** Number of blobs, and their bytes. */
export interface BlobSum {
  readonly blobs: number;
  readonly bytes: number;
}

/** What one shard sends to a target that has nothing yet. */
export interface ShardLoad extends BlobSum {
  /** Their keys, sorted. */
  readonly images: readonly string[];
  /** Those of its blobs that other shards need, too: they may be sent more than once. */
  readonly twice: BlobSum;
}

export interface ShardPlan {
  /** One per shard. */
  readonly loads: readonly ShardLoad[];
  /** What all shards send at most beyond what one run sends: each blob, once less than there are shards that need it. */
  readonly twice: BlobSum;
}

/** A request takes as long as some bytes: many tiny images are work, too. */
const REQUEST_BYTES = 64 * 1024;
/** Above the least that the fullest shard must have. The shards are filled to the first of these that all fits into. */
const SLACK = [1.05, 1.1, 1.15, 1.2];
const MORE_SLACK = 1.25;
/** Groups inside of groups are looked for this deep. */
const MAX_DEPTH = 8;

/**
 * Spreads images over shards: those that share their largest shared blob stay together, the largest groups go first, each to the
 * shard that has least. A group that no shard has room for is spread over several ones, in smaller groups of images that share
 * more; what they share may then be sent by each of these shards. The same images in any order give the same plan.
 */
export function planShards(images: readonly ShardImage[], of: number): ShardPlan {
  const work = workOf(images);
  const { blobCosts, imageBlobs } = work;
  const whole = pieceOf(work, [...imageBlobs.keys()]);
  const groups = split(work, whole, true);
  // Each shard has what all images share.
  const common = commonCost(work);
  const least = largest(
    imageBlobs.map((_, image) => pieceOf(work, [image]).cost),
    common + (whole.cost - common) / of,
  );
  let found: ShardLoads | undefined;
  for (let step = 0; found === undefined; step += 1) {
    const [last = 1] = SLACK.slice(-1);
    const room = least * (SLACK[step] ?? last * MORE_SLACK ** (step - SLACK.length + 1));
    const loads = new ShardLoads(of, blobCosts, REQUEST_BYTES);
    if (!placeAll(work, loads, groups, room, 1)) continue;
    // Machines are not worth more than the same number of bytes again.
    if (room >= whole.cost || sentTwice(work, loads).bytes <= bytesOf(work, whole.blobs)) found = loads;
  }
  return planOf(work, found);
}

/** The images and blobs in numbers: blobs from the largest to the smallest, images by their keys. */
interface Work {
  readonly keys: readonly string[];
  readonly imageBlobs: readonly (readonly number[])[];
  readonly sizes: readonly number[];
  readonly blobCosts: readonly number[];
}

function workOf(images: readonly ShardImage[]): Work {
  const sizes = new Map<string, number>();
  const digests = new Map<string, Set<string>>();
  for (const { key, blobs } of images) {
    const own = digests.get(key) ?? new Set();
    digests.set(key, own);
    for (const { digest, size } of blobs) {
      own.add(digest);
      // Descriptors may state different sizes.
      sizes.set(digest, Math.max(size, sizes.get(digest) ?? 0));
    }
  }
  const sorted = [...sizes].sort(([one, size], [other, otherSize]) => otherSize - size || compare(one, other));
  const numbers = new Map(sorted.map(([digest], number) => [digest, number]));
  const keys = [...digests.keys()].sort(compare);
  const numbersOf = (key: string): number[] => [...(digests.get(key) ?? [])].map(digest => numbers.get(digest) ?? 0);
  return {
    keys,
    imageBlobs: keys.map(key => numbersOf(key).sort((left, right) => left - right)),
    sizes: sorted.map(([, size]) => size),
    blobCosts: sorted.map(([, size]) => size + REQUEST_BYTES),
  };
}

function pieceOf({ imageBlobs, blobCosts }: Work, images: readonly number[]): Piece {
  const blobs = [...new Set(images.flatMap(image => imageBlobs[image] ?? []))];
  const cost = blobs.reduce((sum, blob) => sum + (blobCosts[blob] ?? 0), images.length * REQUEST_BYTES);
  return { images, blobs, cost };
}

/** Of the blobs that every image has. */
function commonCost({ imageBlobs, blobCosts }: Work): number {
  const [first = [], ...others] = imageBlobs.map(blobs => new Set(blobs));
  return [...first].reduce(
    (sum, blob) => (others.every(blobs => blobs.has(blob)) ? sum + (blobCosts[blob] ?? 0) : sum),
    0,
  );
}

/**
 * Smaller pieces of images that share their largest blob of those that not all images of the piece have; the largest ones first.
 *
 * @param isFirst counts what all images have, too.
 */
function split(work: Work, { images }: Piece, isFirst = false): readonly Piece[] {
  const uses = new Map<number, number>();
  for (const image of images)
    for (const blob of work.imageBlobs[image] ?? []) uses.set(blob, (uses.get(blob) ?? 0) + 1);
  const groups = new Map<string, number[]>();
  for (const image of images) {
    const shared = work.imageBlobs[image]?.find(blob => {
      const count = uses.get(blob) ?? 0;
      return count > 1 && (isFirst || count < images.length);
    });
    appendTo(groups, shared === undefined ? `alone ${image}` : `blob ${shared}`, image);
  }
  return [...groups.values()].map(group => pieceOf(work, group)).sort(largestFirst);
}

/** Gives pieces to shards, each to the one that has least. @returns false if that has no room for an image. */
function placeAll(work: Work, loads: ShardLoads, pieces: readonly Piece[], room: number, depth: number): boolean {
  for (const piece of pieces) {
    if (loads.costWith(piece) <= room) {
      loads.put(piece);
      loads.next();
    } else if (piece.images.length === 1 || !placeParts(work, loads, piece, room, depth)) return false;
  }
  return true;
}

/** Fills one shard after the other with parts of a piece, so that few shards have what all of them share. */
function placeParts(work: Work, loads: ShardLoads, piece: Piece, room: number, depth: number): boolean {
  const parts =
    depth < MAX_DEPTH ? split(work, piece) : piece.images.map(image => pieceOf(work, [image])).sort(largestFirst);
  for (let left = parts; left.length > 0; ) {
    const later = left.filter(part => {
      if (loads.costWith(part) > room) return true;
      loads.put(part);
      return false;
    });
    loads.next();
    if (later.length < left.length) left = later;
    else if (placeAll(work, loads, left.slice(0, 1), room, depth + 1)) left = left.slice(1);
    else return false;
  }
  return true;
}

function planOf(work: Work, { images, blobs }: ShardLoads): ShardPlan {
  const uses = usesOf(blobs);
  return {
    loads: images.map((own, shard) => {
      const needed = [...(blobs[shard] ?? [])];
      const shared = needed.filter(blob => (uses.get(blob) ?? 0) > 1);
      return {
        images: own.toSorted((left, right) => left - right).map(image => work.keys[image] ?? ""),
        blobs: needed.length,
        bytes: bytesOf(work, needed),
        twice: { blobs: shared.length, bytes: bytesOf(work, shared) },
      };
    }),
    twice: sentTwice(work, { blobs }),
  };
}

/** How many shards need each blob. */
function usesOf(blobs: ShardLoads["blobs"]): ReadonlyMap<number, number> {
  const uses = new Map<number, number>();
  for (const own of blobs) for (const blob of own) uses.set(blob, (uses.get(blob) ?? 0) + 1);
  return uses;
}

function sentTwice({ sizes }: Work, { blobs }: Pick<ShardLoads, "blobs">): BlobSum {
  const shared = [...usesOf(blobs)].filter(([, count]) => count > 1);
  return {
    blobs: shared.length,
    bytes: shared.reduce((sum, [blob, count]) => sum + (sizes[blob] ?? 0) * (count - 1), 0),
  };
}

function bytesOf({ sizes }: Work, blobs: readonly number[]): number {
  return blobs.reduce((sum, blob) => sum + (sizes[blob] ?? 0), 0);
}

function largestFirst(left: Piece, right: Piece): number {
  return right.cost - left.cost || (left.images[0] ?? 0) - (right.images[0] ?? 0);
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
