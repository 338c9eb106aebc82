/**
 * `complete`: what was found is all there is. `refused`: the registry did not let us look. `unsupported`: it has neither the
 * referrers API nor tags that could be listed. Only after `complete` does an empty list mean that there are none.
 */
export type ReferrersLookup = "complete" | "refused" | "unsupported";
