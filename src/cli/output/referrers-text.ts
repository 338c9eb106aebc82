import type { ReferrersSummary } from "../../index.ts";
import { counted } from "../../util/format.ts";

/** What refers to an image, for a person: numbers, none, or unknown. */
export function referrersText({ lookup, signatures, sboms, attestations, others }: ReferrersSummary): string {
  const found = [
    [signatures, "signature"],
    [sboms, "SBOM"],
    [attestations, "attestation"],
    [others, "other referrer"],
  ] as const;
  const parts = found.flatMap(([count, what]) => (count === 0 ? [] : [counted(count, what)]));
  const isKnown = lookup === undefined || lookup === "complete";
  if (isKnown) return parts.length === 0 ? "no signatures, SBOMs or attestations" : parts.join(", ");
  const why = lookup === "refused" ? "the registry refused to say" : "the registry cannot say";
  return parts.length === 0
    ? `signatures, SBOMs and attestations unknown: ${why}`
    : `${parts.join(", ")}; unknown whether that is all: ${why}`;
}

/** The number of referrers for a table: "none" and "unknown" differ, and "-" means that no one has looked for them. */
export function referrersCount(summary: ReferrersSummary | undefined): string {
  if (summary === undefined) return "-";
  const { lookup, signatures, sboms, attestations, others } = summary;
  const count = signatures + sboms + attestations + others;
  if (lookup === undefined) return count === 0 ? "-" : `${count}`;
  if (lookup === "complete") return count === 0 ? "none" : `${count}`;
  return count === 0 ? "unknown" : `${count} or more`;
}

interface Reported {
  readonly names: readonly string[];
  readonly referrers?: ReferrersSummary;
}

const MAX_NAMED = 3;

/** A line for each group of images about which the same is to be said. */
export function referrersLines(images: readonly Reported[]): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const { names, referrers } of images) {
    if (referrers === undefined) continue;
    const text = referrersText(referrers);
    groups.set(text, [...(groups.get(text) ?? []), names[0] ?? "image without a name"]);
  }
  return [...groups].map(([text, names]) =>
    names.length > MAX_NAMED ? `${names.length} images: ${text}` : `${names.join(", ")}: ${text}`,
  );
}
