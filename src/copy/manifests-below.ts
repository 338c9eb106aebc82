import type { CopyPlan, PlannedManifest } from "../content/contracts.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { formatPlatform } from "../oci/platform.ts";

/** A manifest, as one of the indexes above it names it. */
export interface NamedManifest extends PlannedManifest {
  readonly named: Descriptor;
}

/**
 * The planned manifests below `top`, itself among them, in the order in which they are named. Each index is visited once,
 * and another manifest once for each platform that it is named for: the number of paths through indexes that share their
 * entries has no bound (security case M-07).
 */
export function* manifestsBelow(
  { manifests }: Pick<CopyPlan, "manifests">,
  top: Descriptor,
): Generator<NamedManifest, void> {
  const seen = new Set<string>();
  const waiting = [top];
  for (let named = waiting.pop(); named !== undefined; named = waiting.pop()) {
    const planned = manifests.get(named.digest);
    if (planned === undefined) continue;
    const isIndex = planned.view.kind === "index";
    const key =
      isIndex || named.platform === undefined ? named.digest : `${named.digest} ${formatPlatform(named.platform)}`;
    if (seen.has(key)) continue;
    seen.add(key);
    yield { ...planned, named };
    if (planned.view.kind === "index") for (const child of planned.view.manifests.toReversed()) waiting.push(child);
  }
}
