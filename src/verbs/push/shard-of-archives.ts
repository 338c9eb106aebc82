import { planShards, type ShardBlob, type ShardImage } from "../../bundle/shards/plan-shards.ts";
import { parseShard } from "../../bundle/shards/shard.ts";
import { type ShardSummary, summaryOf, summaryText } from "../../bundle/shards/shard-summary.ts";
import type { ImageSource, Root } from "../../content/contracts.ts";
import { addReferrers } from "../../copy/add-referrers.ts";
import { IMAGES_AT_ONCE } from "../../copy/claims/run-images.ts";
import { gather } from "../../copy/gather.ts";
import { ArchiveError } from "../../errors.ts";
import { runBounded } from "../../util/task-group.ts";
import { idOf } from "../shared/choose-image.ts";
import type { Destination } from "../shared/destinations.ts";
import type { PushRun } from "./push-to-repository.ts";

/** An archive, and where its images go. */
export interface ShardedArchive {
  readonly source: ImageSource;
  readonly targets: readonly Destination[];
}

export interface ShardOfArchives {
  readonly summary: ShardSummary;
  /** Whether it is the first one, which reports what belongs to none. */
  readonly isFirst: boolean;
  /** Without images of other shards. */
  readonly own: (targets: readonly Destination[]) => readonly Destination[];
}

/** Finds out which images of the archives belong to the shard: each with all of its names. Undefined without a shard. */
export async function shardOfArchives(
  archives: readonly ShardedArchive[],
  run: PushRun,
): Promise<ShardOfArchives | undefined> {
  const { shard: text, signal } = run.options;
  if (text === undefined) return undefined;
  const shard = parseShard(text);
  const roots = new Map<string, { readonly source: ImageSource; readonly root: Root }>();
  for (const { source, targets } of archives) {
    for (const root of targets.flatMap(destination => destination.roots))
      if (!roots.has(idOf(root))) roots.set(idOf(root), { source, root });
  }
  const images: ShardImage[] = [];
  await runBounded(
    roots,
    IMAGES_AT_ONCE,
    async ([key, { source, root }], stop) => {
      images.push({ key, blobs: await blobsOf(source, root, run, stop) });
    },
    signal,
  );
  const plan = planShards(images, shard.of);
  const summary = summaryOf(plan, shard);
  run.options.onProgress({ kind: "note", message: summaryText(summary) });
  const keys = new Set(plan.loads[shard.index]?.images);
  return {
    summary,
    isFirst: shard.index === 0,
    own: targets =>
      targets.flatMap(destination => {
        const own = destination.roots.filter(root => keys.has(idOf(root)));
        return own.length === 0 ? [] : [{ ...destination, roots: own }];
      }),
  };
}

/** As the archive has them: raw layers are not compressed yet. */
async function blobsOf(
  source: ImageSource,
  root: Root,
  { options: { referrers } }: PushRun,
  signal: AbortSignal,
): Promise<readonly ShardBlob[]> {
  try {
    const image = await gather(source, [root], signal, undefined, () => undefined);
    const options = { originals: [root], onNote: () => undefined, signal };
    const { blobs, pending } = referrers === false ? image : await addReferrers(source, image, options);
    const raw = pending.map(({ origin: { digest }, sourceBytes }) => ({ digest, size: sourceBytes }));
    return [...blobs.map(({ digest, size }) => ({ digest, size })), ...raw];
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ArchiveError)) throw error;
    // All shards see the same: the one that has the image reports it.
    return [];
  }
}
