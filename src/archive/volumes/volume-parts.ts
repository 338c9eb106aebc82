import type { PackedVolume } from "../../bundle/volumes/volume-request.ts";
import type { CopyPlan, Referrer, SettledRoot } from "../../content/contracts.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import { closureOf } from "../lock/plan-lock.ts";
import { configDigests, type VolumeContents } from "../write/archive-contents.ts";
import { assumedDigests, rootOwners } from "../write/build-metadata.ts";

/** Finds what a volume contains without a look at what is in the others. */
export class VolumeParts {
  readonly #plan: CopyPlan;
  readonly #roots: readonly SettledRoot[];
  readonly #common: Pick<VolumeContents, "configs" | "owners" | "assumed">;
  readonly #blobs: ReadonlyMap<Digest, Descriptor>;
  /** What refers to the images, with all that is below it. */
  readonly #referrers: readonly { readonly referrer: Referrer; readonly digests: readonly Digest[] }[];

  /** @param roots of the plan, in the order of the images that are packed. */
  constructor(plan: CopyPlan, roots: readonly SettledRoot[]) {
    this.#plan = plan;
    this.#roots = roots;
    this.#common = { configs: configDigests(plan), owners: rootOwners(roots), assumed: assumedDigests(plan) };
    this.#blobs = new Map(plan.blobs.map(blob => [blob.digest, blob]));
    this.#referrers = plan.roots
      .flatMap(({ referrers }) => referrers?.found ?? [])
      .map(referrer => {
        const { manifests, configs, layers } = closureOf(plan, [referrer.descriptor]);
        return { referrer, digests: [...manifests, ...configs, ...layers] };
      });
  }

  /** Which referrers each of these volumes has whole. */
  referrersIn(volumes: readonly PackedVolume[]): readonly (readonly Referrer[])[] {
    const found: Referrer[][] = volumes.map(() => []);
    if (this.#referrers.length === 0) return found;
    const homes = new Map<Digest, number>();
    for (const [index, { blobs }] of volumes.entries()) for (const digest of blobs) homes.set(digest, index);
    for (const { referrer, digests } of this.#referrers) {
      const [home, ...others] = new Set(digests.map(digest => homes.get(digest)));
      if (home !== undefined && others.length === 0) found[home]?.push(referrer);
    }
    return found;
  }

  contentsOf(
    { blobs, parts, images }: PackedVolume,
    own: Pick<VolumeContents, "lock" | "isAlone"> & { readonly referrers: readonly Referrer[] | undefined },
  ): VolumeContents {
    const { manifests } = this.#plan;
    return {
      ...this.#common,
      ...own,
      referrers: own.referrers ?? [],
      parts,
      roots: images.flatMap(image => this.#roots[image] ?? []),
      manifests: blobs.flatMap(digest => manifests.get(digest) ?? []),
      blobs: blobs.flatMap(digest => (manifests.has(digest) ? [] : (this.#blobs.get(digest) ?? []))),
    };
  }
}
