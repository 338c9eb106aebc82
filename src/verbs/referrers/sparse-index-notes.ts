import type { CopyPlan, Root } from "../../content/contracts.ts";
import { isManifestType } from "../../oci/media-types.ts";
import { parseReference } from "../../oci/reference.ts";

/** Names that a note lists. */
const MAX_NAMED = 3;

/**
 * Notes about indexes that are not taken whole: what `push` does with them behind the gap, where it is too late to take the
 * rest. It refuses those that are pinned by their digests, or signed, and makes smaller ones of the others.
 */
export function sparseIndexNotes(plan: CopyPlan): readonly string[] {
  const sparse = plan.roots.filter(root => isSparse(plan, root)).map(root => ({ root, reasons: boundBy(root) }));
  const bound = sparse.filter(({ reasons }) => reasons.length > 0);
  return [...changedNotes(sparse.length - bound.length), ...boundNotes(bound)];
}

function changedNotes(count: number): readonly string[] {
  if (count === 0) return [];
  const [which, makes] =
    count === 1
      ? ["1 image is taken with only some of its platforms", "a smaller index of it, with another digest"]
      : [`${count} images are taken with only some of their platforms`, "smaller indexes of them, with other digests"];
  const digests = count === 1 ? "the digest" : "the digests";
  return [`${which}: push makes ${makes}. --platform all keeps ${digests}`];
}

function boundNotes(bound: readonly { readonly root: Root; readonly reasons: readonly string[] }[]): readonly string[] {
  if (bound.length === 0) return [];
  const names = bound.slice(0, MAX_NAMED).map(({ root }) => root.names[0] ?? "an image without a name");
  const more = bound.length > MAX_NAMED ? ` and ${bound.length - MAX_NAMED} more` : "";
  const reasons = [...new Set(bound.flatMap(one => one.reasons))].sort().join(" or ");
  return [
    `${names.join(", ")}${more}: ${reasons}, but taken with only some of the platforms: push refuses that without --sparse. --platform all takes all of them`,
  ];
}

function isSparse({ manifests }: CopyPlan, root: Root): boolean {
  const view = root.kind === "settled" ? manifests.get(root.descriptor.digest)?.view : undefined;
  if (view?.kind !== "index") return false;
  return view.manifests.some(({ digest, mediaType }) => isManifestType(mediaType) && !manifests.has(digest));
}

/** Why no one may change an index. */
function boundBy(root: Root): readonly string[] {
  if (root.kind === "draft") return [];
  const { digest } = root.descriptor;
  const tag = digest.replace(":", "-");
  const isSigned = root.referrers?.found.some(one => one.subject === digest || one.tag?.startsWith(tag) === true);
  const isPinned = root.names.some(name => parseReference(name).digest !== undefined);
  return [...(isPinned ? ["pinned by digest"] : []), ...(isSigned === true ? ["signed"] : [])];
}
