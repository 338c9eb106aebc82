import { planShards } from "../../bundle/shards/plan-shards.ts";
import type { Shard } from "../../bundle/shards/shard.ts";
import type { Digest } from "../../oci/digest.ts";
import type { VerifiedShard } from "./verify-options.ts";

interface Sized {
  readonly digest: Digest;
  readonly size: number;
}

/** Which blobs of one archive a run hashes. */
export interface BlobShard {
  readonly has: (digest: string) => boolean;
  readonly summary: VerifiedShard;
}

/** The same for all shards that read the same archive. */
export type ChooseBlobs = (blobs: readonly Sized[]) => BlobShard;

/**
 * Blobs, or the parts of one, are hashed by one shard; all shards have about the same number of bytes.
 *
 * @param turn number of the archive among those of the call: of many small ones, not always the first shard has the most.
 */
export function blobShard({ index, of }: Shard, turn: number): ChooseBlobs {
  return blobs => {
    const sizes = new Map<Digest, number>();
    for (const { digest, size } of blobs) sizes.set(digest, (sizes.get(digest) ?? 0) + size);
    const images = [...sizes].map(([digest, size]) => ({ key: digest, blobs: [{ digest, size }] }));
    const own: ReadonlySet<string> = new Set(planShards(images, of).loads[(index + turn) % of]?.images);
    const ofBytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    return { has: digest => own.has(digest), summary: { index, of, ofBlobs: sizes.size, ofBytes } };
  };
}
