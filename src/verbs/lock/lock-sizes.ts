import type { LockSettings } from "../../archive/lock/plan-lock.ts";
import { archiveContents, planArchiveTar } from "../../archive/write/archive-contents.ts";
import type { Lock, LockedImage } from "../../bundle/lock/lock.ts";
import type { CopyPlan, Root } from "../../content/contracts.ts";
import type { Digest } from "../../oci/digest.ts";
import { manifestChildren } from "../../oci/manifest.ts";
import type { Platform } from "../../oci/platform.ts";
import { type ReferrersSummary, referrersSummary } from "../referrers/referrers-summary.ts";

/** An image of a lock, with what it takes. */
export interface LockedImageSize {
  /** As in the lock; empty for an image without a name. */
  readonly name: string;
  /** Of the manifest or index. */
  readonly digest: Digest;
  /** What it runs on: `os/architecture[/variant]`; empty for artifacts. */
  readonly platforms: readonly string[];
  /** What refers to it, and is locked with it. Absent if it was not looked for. */
  readonly referrers?: ReferrersSummary;
  /** Sum of its manifests, configs and layers, with those of what refers to it. */
  readonly bytes: number;
  /** Part of `bytes` that other images of the lock have, too. */
  readonly sharedBytes: number;
}

/** A kind of medium, and how many of it an archive takes at least. */
export interface MediaCount {
  readonly medium: "FAT32" | "DVD" | "BD-25" | "BD-50";
  /** Largest file, or room, in bytes. */
  readonly capacity: number;
  readonly count: number;
}

const MEDIA: readonly Omit<MediaCount, "count">[] = [
  // The largest file of the file system.
  { medium: "FAT32", capacity: 2 ** 32 - 1 },
  { medium: "DVD", capacity: 4_700_000_000 },
  { medium: "BD-25", capacity: 25_000_000_000 },
  { medium: "BD-50", capacity: 50_000_000_000 },
];

export function mediaFor(bytes: number): readonly MediaCount[] {
  return MEDIA.map(medium => ({ ...medium, count: Math.ceil(bytes / medium.capacity) }));
}

/** Size of the archive that `pull` writes, in bytes. */
export function archiveBytes(plan: CopyPlan, platform: Platform, lock: LockSettings): number {
  return planArchiveTar(archiveContents(plan, { platform, lock })).totalBytes;
}

/**
 * What each image of a lock takes, in the order of the lock.
 *
 * @param digests as `blobsBelow` returns them, of each image of the lock.
 * @param platforms what the images run on, in the order of the plan's roots.
 */
export function imageSizes(
  lock: Lock,
  plan: CopyPlan,
  digests: readonly ReadonlySet<Digest>[],
  platforms: readonly (readonly string[])[],
): readonly LockedImageSize[] {
  const sizes = new Map(lock.blobs.map(({ digest, size }) => [digest, size]));
  const facts = new Map(
    plan.roots.flatMap((root, index) =>
      root.kind === "settled" ? [[root.descriptor.digest, factsOf(plan, root, platforms[index])] as const] : [],
    ),
  );
  const users = new Map<Digest, number>();
  for (const blob of digests.flatMap(below => [...below])) users.set(blob, (users.get(blob) ?? 0) + 1);
  return lock.images.map(({ name, digest, written = digest }, index) => {
    let bytes = 0;
    let sharedBytes = 0;
    for (const blob of digests[index] ?? []) {
      const size = sizes.get(blob) ?? 0;
      bytes += size;
      if ((users.get(blob) ?? 0) > 1) sharedBytes += size;
    }
    return { name, digest, platforms: [], ...facts.get(written), bytes, sharedBytes };
  });
}

function factsOf(
  plan: CopyPlan,
  root: Root,
  platforms: readonly string[] = [],
): Pick<LockedImageSize, "platforms" | "referrers"> {
  const referrers = referrersSummary(plan, root);
  return { platforms, ...(referrers === undefined ? {} : { referrers }) };
}

/** What an image needs with what refers to it: manifests, configs and layers. */
export function blobsBelow({ manifests, referrers }: LockedImage, plan: CopyPlan): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  for (const digest of [...manifests, ...referrers.map(one => one.digest)]) {
    const view = plan.manifests.get(digest)?.view;
    found.add(digest);
    if (view !== undefined && view.kind !== "index")
      for (const child of manifestChildren(view)) found.add(child.digest);
  }
  return found;
}
