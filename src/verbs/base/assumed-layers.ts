import { closureOf } from "../../archive/lock/plan-lock.ts";
import { type Base, type Bundle, type BundleImage, holdsBlob } from "../../bundle/base/bundle.ts";
import type { LockedBlob } from "../../bundle/lock/lock.ts";
import type { AssumedLayer, CopyPlan, SettledRoot } from "../../content/contracts.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import type { Digest } from "../../oci/digest.ts";
import type { LeftToBases } from "../shared/write-images.ts";

/** The layers of a plan that a base may have: those that no referrer needs. Manifests and configs always travel. */
export function layersOf(plan: CopyPlan): readonly Descriptor[] {
  const roots = settledRoots(plan);
  const images = closureOf(
    plan,
    roots.map(({ descriptor }) => descriptor),
  );
  const referrers = closureOf(
    plan,
    roots.flatMap(({ referrers }) => referrers?.found.map(({ descriptor }) => descriptor) ?? []),
  );
  const kept = new Set([...images.configs, ...referrers.configs, ...referrers.layers]);
  const layers = new Set(images.layers.filter(digest => !kept.has(digest)));
  return plan.blobs.filter(({ digest }) => layers.has(digest));
}

/** The plan's layers as a bundle, to ask a registry for them. */
export function layerBundle(plan: CopyPlan, layers: readonly Descriptor[]): Bundle {
  const images = settledRoots(plan).flatMap(({ names, descriptor }): readonly BundleImage[] => {
    const parts = [closureOf(plan, [descriptor]).layers];
    return names.map(name => ({ name, digest: descriptor.digest, parts }));
  });
  const blobs = layers.map(({ digest, size }) => [digest, { size, kind: "layer", repositories: [] }] as const);
  return { where: "", kind: "archive", images, blobs: new Map(blobs), hasRawLayers: false };
}

/** The plan without the layers that a base has, by the very digest and size. */
export function leaveToBases(plan: CopyPlan, layers: readonly Descriptor[], bases: readonly Base[]): LeftToBases {
  const used = new Set<Digest>();
  const assumed = layers.flatMap((descriptor): readonly AssumedLayer[] => {
    const { digest, size } = descriptor;
    const holders = bases.filter(base => holdsBlob(base, digest, size));
    for (const { id } of holders) if (id !== undefined) used.add(id);
    const repositories = holders.flatMap(({ blobs }) => blobs.get(digest)?.repositories ?? []);
    return holders.length === 0 ? [] : [{ descriptor, repositories: [...new Set(repositories)].sort() }];
  });
  return { plan: withoutLayers(plan, assumed), bases: [...used] };
}

/** The plan without the layers that a lock assumes. */
export function leaveAssumed(
  plan: CopyPlan,
  assumes: readonly Pick<LockedBlob, "digest" | "repositories">[],
): CopyPlan {
  const rows = new Map(assumes.map(({ digest, repositories }) => [digest, repositories]));
  const assumed = layersOf(plan).flatMap((descriptor): readonly AssumedLayer[] => {
    const repositories = rows.get(descriptor.digest);
    return repositories === undefined ? [] : [{ descriptor, repositories }];
  });
  return withoutLayers(plan, assumed);
}

function withoutLayers(plan: CopyPlan, assumed: readonly AssumedLayer[]): CopyPlan {
  if (assumed.length === 0) return plan;
  const left = new Set(assumed.map(({ descriptor }) => descriptor.digest));
  const bytes = assumed.reduce((sum, { descriptor: { size } }) => sum + size, 0);
  const blobs = plan.blobs.filter(({ digest }) => !left.has(digest));
  return { ...plan, blobs, assumed, totalBytes: plan.totalBytes - bytes };
}

function settledRoots({ roots }: CopyPlan): readonly SettledRoot[] {
  return roots.filter(root => root.kind === "settled");
}
