import type { CopyPlan, Root } from "../../content/contracts.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../../oci/annotations.ts";
import type { Digest } from "../../oci/digest.ts";
import { type ReferrerKind, referrerKind } from "../../oci/referrers/referrer-kind.ts";
import type { ReferrersLookup } from "../../oci/referrers/referrers-lookup.ts";
import { append } from "../../util/append.ts";

/** What refers to an image, or to one of its platforms, and is carried with it. */
export interface ReferrersSummary {
  /**
   * Whether the registry could say what there is: only after "complete" does 0 mean none. "refused": it did not let us look;
   * "unsupported": it has neither the referrers API nor lists of tags. Absent where no registry was asked.
   */
  readonly lookup?: ReferrersLookup;
  /** Number of signatures, of cosign, notation or others. */
  readonly signatures: number;
  /** Number of SBOMs, those in attestations included. */
  readonly sboms: number;
  /** Number of other attestations, such as provenance; those that are in an index, too. */
  readonly attestations: number;
  /** Number of other manifests. */
  readonly others: number;
  /** Number of manifests that stay behind, because they belong to platforms that are not carried, or to another digest. */
  readonly leftOut: number;
}

/**
 * Kinds of the attestations that BuildKit puts into an index, next to the images that they are about: no registry is asked for
 * these.
 */
function builtInKinds(manifests: CopyPlan["manifests"], root: Digest): readonly ReferrerKind[] {
  const found = new Map<Digest, ReferrerKind>();
  const seen = new Set<Digest>();
  const visit = (digest: Digest): void => {
    const view = manifests.get(digest)?.view;
    if (view?.kind !== "index" || seen.has(digest)) return;
    seen.add(digest);
    for (const child of view.manifests) {
      const own = manifests.get(child.digest)?.view;
      if (child.annotations?.[ANNOTATION_REFERENCE_DIGEST] === undefined || own === undefined) visit(child.digest);
      else {
        const kind = referrerKind(own);
        found.set(child.digest, kind === "other" ? "attestation" : kind);
      }
    }
  };
  visit(root);
  return [...found.values()];
}

/** Undefined if nothing was looked for. */
export function referrersSummary({ manifests }: Pick<CopyPlan, "manifests">, root: Root): ReferrersSummary | undefined {
  if (root.referrers === undefined) return undefined;
  const { lookup, found, leftOut } = root.referrers;
  const kinds = found.flatMap(({ descriptor, tag }) => {
    const view = manifests.get(descriptor.digest)?.view;
    return view === undefined ? [] : [referrerKind(view, tag)];
  });
  if (root.kind === "settled") append(kinds, builtInKinds(manifests, root.descriptor.digest));
  const count = (wanted: ReferrerKind): number => kinds.filter(kind => kind === wanted).length;
  return {
    ...(lookup === undefined ? {} : { lookup }),
    signatures: count("signature"),
    sboms: count("sbom"),
    attestations: count("attestation"),
    others: count("other"),
    leftOut,
  };
}

/** Whether anything is carried. */
export function hasSome(summary: ReferrersSummary | undefined): boolean {
  const { signatures = 0, sboms = 0, attestations = 0, others = 0 } = summary ?? {};
  return signatures + sboms + attestations + others > 0;
}
