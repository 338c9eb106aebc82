import { type Digest, digestAlgorithm, digestHex } from "../digest.ts";

/** What cosign appends to the tag that it makes of a digest (sigstore/cosign, specs/SIGNATURE_SPEC.md). */
export const COSIGN_SUFFIXES = [".sig", ".att", ".sbom"] as const;
export type CosignSuffix = (typeof COSIGN_SUFFIXES)[number];

/** Says what a tag that is made from a digest leads to. */
export interface ReferrersTag {
  /** The tag without its suffix: compare it with `referrersTag(digest)`. */
  readonly stem: string;
  /** Absent on the tag of an index that replaces the referrers API. */
  readonly suffix?: CosignSuffix;
}

/**
 * The tag that replaces the referrers API, `sha256:abc…` → `sha256-abc…`: algorithm and digits are cut to 32 and 64
 * characters (distribution specification, "Referrers Tag Schema"). cosign's tags begin with it.
 */
export function referrersTag(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest).slice(0, 64)}`;
}

/** Undefined for a tag that is not made from a digest. */
export function parseReferrersTag(tag: string): ReferrersTag | undefined {
  const [, stem, suffix] = /^(sha(?:256|512)-[0-9a-f]{64})(\.(?:sig|att|sbom))?$/.exec(tag) ?? [];
  if (stem === undefined) return undefined;
  return { stem, ...(suffix === undefined ? {} : { suffix: suffix as CosignSuffix }) };
}
