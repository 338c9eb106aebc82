import type { CopyPlan, Root } from "../../content/contracts.ts";
import { leftOutImages, leftOutNotes } from "../../copy/left-out-images.ts";
import type { Digest } from "../../oci/digest.ts";
import { type ReferrersSummary, referrersSummary } from "../referrers/referrers-summary.ts";

/** An image in an archive that was written. */
export interface WrittenImage {
  /** Full names in the archive; empty for an image without a name. */
  readonly names: readonly string[];
  /** Of the manifest or index. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** The digest in the source, if writing changed it: layers recompressed, absent platforms left out, schema 1 converted. */
  readonly previousDigest?: Digest;
  /** Platforms, or else digests, of images of its index that were not asked for. Absent if there are none. */
  readonly absent?: readonly string[];
  /** What refers to the image, and is in the archive. Absent if it was not looked for. */
  readonly referrers?: ReferrersSummary;
}

/** A plan, and the roots as the input has them, in the order of the plan's. */
interface Planned {
  readonly plan: CopyPlan;
  readonly originals: readonly Root[];
}

/**
 * What is left out of the indexes of a source, by its roots.
 *
 * @param found what the source has.
 * @param selected what is taken of it, before layers change.
 * @param lacking what the source names and does not have.
 */
export function absentImages(
  found: Planned,
  selected: Planned,
  lacking: ReadonlySet<Digest>,
): ReadonlyMap<Root, readonly string[]> {
  const absent = new Map<Root, readonly string[]>();
  const { manifests } = selected.plan;
  const taken = { has: (digest: Digest): boolean => manifests.has(digest) || lacking.has(digest) };
  for (const [index, root] of found.plan.roots.entries()) {
    const labels = leftOutImages(found.plan, root, taken);
    if (labels.length > 0) absent.set(found.originals[index] ?? root, labels);
  }
  return absent;
}

/** Notes that count and name it. */
export function absentNotes(absent: ReturnType<typeof absentImages>): readonly string[] {
  return leftOutNotes([...absent].map(([root, labels]) => ({ name: root.names[0] ?? "An image", absent: labels })));
}

/** @param absent as `absentImages` returns it. */
export function writtenImages(
  { plan, originals }: Planned,
  absent: ReturnType<typeof absentImages>,
): readonly WrittenImage[] {
  return plan.roots.flatMap((root, index) => {
    if (root.kind === "draft") return [];
    const { digest, mediaType } = root.descriptor;
    const original = originals[index];
    const isChanged = original?.kind === "settled" && original.descriptor.digest !== digest;
    const labels = original === undefined ? undefined : absent.get(original);
    const referrers = referrersSummary(plan, root);
    return [
      {
        names: root.names,
        digest,
        mediaType,
        ...(isChanged ? { previousDigest: original.descriptor.digest } : {}),
        ...(labels === undefined ? {} : { absent: labels }),
        ...(referrers === undefined ? {} : { referrers }),
      },
    ];
  });
}
