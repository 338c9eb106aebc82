/**
 * `complete`: what was found is all there is. `refused`: the registry did not let us look. `unsupported`: it has neither the
 * referrers API nor tags that could be listed. Only after `complete` does an empty list mean that there are none.
 */
export type ReferrersLookup = "complete" | "refused" | "unsupported";

/** What is known after several lookups: the least of them. Undefined if no registry was asked. */
export function leastLookup(lookups: readonly (ReferrersLookup | undefined)[]): ReferrersLookup | undefined {
  return (["refused", "unsupported", "complete"] as const).find(lookup => lookups.includes(lookup));
}
