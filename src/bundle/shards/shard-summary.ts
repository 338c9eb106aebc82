import { counted, formatBytes } from "../../util/format.ts";
import type { BlobSum, ShardPlan } from "./plan-shards.ts";
import { formatShard, type Shard } from "./shard.ts";

/** The part of a call with `shard`. What is said of blobs is said of a target that has nothing yet. */
export interface ShardSummary {
  /** From 0. */
  readonly index: number;
  /** How many shards there are. */
  readonly of: number;
  /** Number of images in this shard. */
  readonly images: number;
  /** Number of images in all shards. */
  readonly ofImages: number;
  /** Number of blobs that its images need. */
  readonly blobs: number;
  /** Of these blobs. */
  readonly bytes: number;
  /** Those of its blobs that other shards need, too: they may be sent more than once. */
  readonly twice: BlobSum;
}

export function summaryOf({ loads }: ShardPlan, { index, of }: Shard): ShardSummary {
  const { images, blobs, bytes, twice } = loads[index] ?? {
    images: [],
    blobs: 0,
    bytes: 0,
    twice: { blobs: 0, bytes: 0 },
  };
  const ofImages = loads.reduce((sum, load) => sum + load.images.length, 0);
  return { index, of, images: images.length, ofImages, blobs, bytes, twice };
}

/** As a sentence for a person. */
export function summaryText(summary: ShardSummary): string {
  const { images, ofImages, blobs, bytes, twice } = summary;
  const shard = `Shard ${formatShard(summary)}`;
  if (images === 0) return `${shard} has none of ${counted(ofImages, "image")}: nothing to do`;
  const own = `${shard}: ${images} of ${counted(ofImages, "image")}, ${counted(blobs, "blob")}, ${formatBytes(bytes)}`;
  if (twice.blobs === 0) return own;
  return `${own}; other shards need ${counted(twice.blobs, "blob")} of these, too (${formatBytes(twice.bytes)}), and may send them at the same time`;
}
