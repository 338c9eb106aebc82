import { formatListed } from "./format-listed.ts";
import type { ListedReference } from "./listed-reference.ts";

/** Each reference once, where it is found first; a certain one hides a likely one of the same text. */
export function uniqueReferences(references: readonly ListedReference[]): readonly ListedReference[] {
  const certain = new Set(references.filter(isCertain).map(({ reference }) => reference));
  const seen = new Set<string>();
  return references.filter(listed => {
    const key = formatListed(listed);
    if (seen.has(key) || (!isCertain(listed) && certain.has(listed.reference))) return false;
    seen.add(key);
    return true;
  });
}

function isCertain({ class: kind }: ListedReference): boolean {
  return kind === "certain";
}
