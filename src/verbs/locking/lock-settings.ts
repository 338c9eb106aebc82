import { lockedImages } from "../../archive/lock/archive-lock.ts";
import { type LockSettings, repositoriesOfPlan } from "../../archive/lock/plan-lock.ts";
import type { LeftImage, Lock, LockedLayers, LockedSparse } from "../../bundle/lock/lock.ts";
import type { CopyPlan, Root } from "../../content/contracts.ts";
import { repositoryOf } from "../../oci/names/repository-of.ts";
import { type Platform, parsePlatform } from "../../oci/platform.ts";

/** What the lock of an archive says beyond its images. */
export interface LockFacts {
  readonly platforms: readonly Platform[] | "all";
  /** What the lock says of platforms, if an earlier call has chosen them; default `platforms`. */
  readonly lockedPlatforms?: readonly Platform[] | "all" | undefined;
  /** What an earlier call has made of all layers, if this one leaves them as they are. */
  readonly lockedLayers?: LockedLayers | undefined;
  /** Default "keep". */
  readonly sparse?: LockedSparse | undefined;
  /** Called when all images are known. */
  readonly left?: (() => readonly LeftImage[]) | undefined;
  /** As in `LockSettings`; default: what the names say. */
  readonly known?: Pick<LockSettings, "imageOf" | "repositoriesOf"> | undefined;
}

interface LockedPlan {
  readonly plan: CopyPlan;
  readonly originals: readonly Root[];
}

/**
 * @param found what the source has, before layers and manifests change.
 * @param written what is written, with what refers to it.
 * @param layers what all layers became, if they changed.
 */
export function lockSettings(
  found: LockedPlan,
  written: LockedPlan,
  layers: LockedLayers | undefined,
  { platforms, sparse = "keep", left, known = {}, lockedPlatforms = platforms, lockedLayers }: LockFacts,
): LockSettings {
  const { imageOf } = known;
  return {
    platforms: lockedPlatforms,
    sparse,
    layers: layers ?? lockedLayers,
    left: left?.() ?? [],
    originals: written.originals,
    imageOf,
    repositoriesOf:
      known.repositoriesOf ?? repositoriesOfPlan(withReferrers(found.plan, written.plan), found.originals, imageOf),
  };
}

/** Referrers come from where their images do. */
function withReferrers(found: CopyPlan, written: CopyPlan): CopyPlan {
  const roots = found.roots.map((root, index) => ({ ...root, referrers: written.roots[index]?.referrers }));
  return { ...found, roots, manifests: new Map([...written.manifests, ...found.manifests]) };
}

/**
 * What the lock of an archive says of images that travel on, also under other names.
 *
 * @param lock undefined for an archive without one: nothing is known of it.
 */
export function carriedOver(lock: Lock | undefined): NonNullable<LockFacts["known"]> {
  if (lock === undefined) return { repositoriesOf: () => [] };
  const find = lockedImages(lock);
  const repositories = new Map([
    ...lock.blobs.map(blob => [blob.digest, blob.repositories] as const),
    ...(lock.assumes ?? []).map(blob => [blob.digest, blob.sources ?? blob.repositories] as const),
  ]);
  return {
    imageOf: (name, written) => {
      const row = find(name, written);
      if (row === undefined) return undefined;
      const { digest, platforms } = row;
      const from = row.from ?? (row.name === name || row.name === "" ? undefined : repositoryOf(row.name));
      return { digest, ...(from === undefined ? {} : { from }), ...(platforms === undefined ? {} : { platforms }) };
    },
    repositoriesOf: digest => repositories.get(digest) ?? [],
  };
}

/**
 * What the lock of an archive says that all of its images are taken of: the choices of the call that wrote it.
 *
 * @param lock undefined for an archive without one.
 */
export function carriedChoices(
  lock: Lock | undefined,
): Pick<LockFacts, "lockedPlatforms" | "lockedLayers"> & { readonly left: NonNullable<LockFacts["left"]> } {
  if (lock === undefined) return { left: () => [] };
  const { platforms, layers, left } = lock;
  return {
    lockedPlatforms: platforms.includes("all") ? "all" : platforms.map(parsePlatform),
    ...(layers === undefined ? {} : { lockedLayers: layers }),
    left: () => left,
  };
}
