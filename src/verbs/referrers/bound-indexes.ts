import type { CopyPlan, Root } from "../../content/contracts.ts";
import { isManifestType } from "../../oci/media-types.ts";
import { parseReference } from "../../oci/reference.ts";

/** Names that a note lists. */
const MAX_NAMED = 3;

/**
 * A note about indexes that are not taken whole, and that no one may change: pinned by their digests, or signed. Behind the gap
 * it is too late to take the rest.
 */
export function boundIndexNotes(plan: CopyPlan): readonly string[] {
  const bound = plan.roots.filter(root => isBound(root) && isSparse(plan, root));
  if (bound.length === 0) return [];
  const names = bound.slice(0, MAX_NAMED).map(({ names }) => names[0] ?? "an image without a name");
  const more = bound.length > MAX_NAMED ? ` and ${bound.length - MAX_NAMED} more` : "";
  return [
    `${names.join(", ")}${more}: signed or pinned by digest, but not all platforms are taken. Many registries refuse such an index, and push does not change it unasked; --platform all takes all of it`,
  ];
}

function isSparse({ manifests }: CopyPlan, root: Root): boolean {
  const view = root.kind === "settled" ? manifests.get(root.descriptor.digest)?.view : undefined;
  if (view?.kind !== "index") return false;
  return view.manifests.some(({ digest, mediaType }) => isManifestType(mediaType) && !manifests.has(digest));
}

function isBound(root: Root): boolean {
  if (root.kind === "draft") return false;
  const { digest } = root.descriptor;
  const tag = digest.replace(":", "-");
  const refers = root.referrers?.found.some(one => one.subject === digest || one.tag?.startsWith(tag) === true);
  return refers === true || root.names.some(name => parseReference(name).digest !== undefined);
}
