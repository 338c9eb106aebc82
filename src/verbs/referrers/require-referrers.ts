import type { CopyPlan } from "../../content/contracts.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import type { Kind } from "../../util/options/checked-options.ts";
import { choice, TEXTS } from "../../util/options/option-kinds.ts";
import { type ReferrersSummary, referrersSummary } from "./referrers-summary.ts";

/** What an image must have: a signature, an SBOM, or another attestation. */
export type RequiredReferrer = "sig" | "sbom" | "att";
const REQUIRED: readonly RequiredReferrer[] = ["sig", "sbom", "att"];

export const REQUIRED_KIND: Kind<RequiredReferrer | readonly RequiredReferrer[]> = {
  checked: (value, option) => {
    const texts = TEXTS.checked(value, option);
    return (typeof texts === "string" ? [texts] : texts).map(text => choice(REQUIRED).checked(text, option));
  },
};

/** Options of the functions that can refuse images. */
export interface RequireOptions {
  readonly referrers?: boolean | undefined;
  readonly requireReferrers?: RequiredReferrer | readonly RequiredReferrer[] | undefined;
}

const WORDS: Readonly<Record<RequiredReferrer, readonly [field: keyof ReferrersSummary, name: string]>> = {
  sig: ["signatures", "signature"],
  sbom: ["sboms", "SBOM"],
  att: ["attestations", "attestation"],
};

/** @throws UsageError if what is required is left out at the same time. */
export function checkRequireOptions(verb: string, { referrers, requireReferrers }: RequireOptions): void {
  if (referrers !== false || requireReferrers === undefined) return;
  throw new UsageError(`Cannot ${verb}: --require-referrers is given next to --no-referrers, expected one of them`);
}

/**
 * Refuses images without what they must have. What is not known does not count.
 *
 * @param plan with what refers to its images.
 * @throws NotFoundError that names all such images.
 */
export function checkRequired(
  verb: string,
  plan: CopyPlan,
  requireReferrers: RequireOptions["requireReferrers"],
): void {
  const required = requireReferrers === undefined ? [] : [requireReferrers].flat();
  const lacking = plan.roots.flatMap(root => {
    const summary = referrersSummary(plan, root);
    const missing = required.filter(one => (summary?.[WORDS[one][0]] ?? 0) === 0).map(one => WORDS[one][1]);
    if (missing.length === 0) return [];
    const name = root.names[0] ?? (root.kind === "draft" ? root.draft.config.digest : root.descriptor.digest);
    const isKnown = summary?.lookup === "complete";
    return [
      `${name} (no ${missing.join(", no ")}${isKnown ? "" : " found, and the registry does not say whether there is one"})`,
    ];
  });
  if (lacking.length === 0) return;
  const count = lacking.length === 1 ? "" : `${lacking.length} images: `;
  throw new NotFoundError(`Cannot ${verb} ${count}${lacking.join("; ")}, expected what --require-referrers names`, {
    hint: "Ask who publishes the image, or leave out --require-referrers.",
  });
}
