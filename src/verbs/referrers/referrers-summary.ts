import type { CopyPlan, Root } from "../../content/contracts.ts";
import { type ReferrerKind, referrerKind } from "../../oci/referrers/referrer-kind.ts";
import type { ReferrersLookup } from "../../oci/referrers/referrers-lookup.ts";

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
  /** Number of other attestations, such as provenance. */
  readonly attestations: number;
  /** Number of other manifests. */
  readonly others: number;
  /** Number of manifests that stay behind, because they belong to platforms that are not carried, or to another digest. */
  readonly leftOut: number;
}

/** Undefined if nothing was looked for. */
export function referrersSummary({ manifests }: Pick<CopyPlan, "manifests">, root: Root): ReferrersSummary | undefined {
  if (root.referrers === undefined) return undefined;
  const { lookup, found, leftOut } = root.referrers;
  const kinds = found.flatMap(({ descriptor, tag }) => {
    const view = manifests.get(descriptor.digest)?.view;
    return view === undefined ? [] : [referrerKind(view, tag)];
  });
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
