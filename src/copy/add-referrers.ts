import type { CopyPlan, ImageSource, Root, SettledRoot } from "../content/contracts.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { counted } from "../util/format.ts";
import { type FindReferrersOptions, findReferrers } from "./find-referrers.ts";
import { gather } from "./gather.ts";

/**
 * The plan with what refers to its images: its roots name them, and their manifests and blobs are copied like all others.
 *
 * @throws as `findReferrers` and `gather`.
 */
export async function addReferrers(
  source: ImageSource,
  plan: CopyPlan,
  options: FindReferrersOptions,
): Promise<CopyPlan> {
  const roots = await findReferrers(source, plan, options);
  const found = roots.flatMap(({ referrers }) => referrers?.found ?? []);
  if (found.length === 0) return { ...plan, roots };
  const asRoots = found.map(({ descriptor }): SettledRoot => ({ kind: "settled", names: [], descriptor }));
  const added = await gather(source, asRoots, options.signal);
  return { ...merged(plan, added), roots };
}

function merged(plan: CopyPlan, added: CopyPlan): CopyPlan {
  const blobs = unique([...plan.blobs, ...added.blobs]);
  const pendingBytes = plan.pending.reduce((sum, { sourceBytes }) => sum + sourceBytes, 0);
  return {
    ...plan,
    blobs,
    leftOut: unique([...(plan.leftOut ?? []), ...(added.leftOut ?? [])]),
    // Those of the images first: they are the subjects.
    manifests: new Map([...plan.manifests, ...[...added.manifests].filter(([digest]) => !plan.manifests.has(digest))]),
    totalBytes: sizeOf(blobs) + pendingBytes,
  };
}

function unique(blobs: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(blobs.map(blob => [blob.digest, blob] as const)).values()];
}

function sizeOf(blobs: readonly Descriptor[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}

/** A note about each image whose referrers are not all carried. */
export function referrersLeftOut(roots: readonly Root[]): readonly string[] {
  return roots.flatMap(root => {
    const { leftOut = 0 } = root.referrers ?? {};
    if (leftOut === 0 || root.kind === "draft") return [];
    const name = root.names[0] ?? root.descriptor.digest;
    return [
      `${name}: leaving out ${counted(leftOut, "referrer")} (signatures, SBOMs, attestations) of manifests that are not carried: other platforms, or an index with another digest`,
    ];
  });
}

/** What a plan contains in addition to the images: for a target that has these already. */
export function referrersOnly(plan: CopyPlan, images: CopyPlan): CopyPlan {
  const known = new Set(images.blobs.map(({ digest }) => digest));
  const blobs = plan.blobs.filter(({ digest }) => !known.has(digest));
  const manifests = new Map([...plan.manifests].filter(([digest]) => !images.manifests.has(digest)));
  return { ...plan, pending: [], blobs, manifests, totalBytes: sizeOf(blobs) };
}
