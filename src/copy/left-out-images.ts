import type { CopyPlan, Root } from "../content/contracts.ts";
import { ANNOTATION_REFERENCE_DIGEST } from "../oci/annotations.ts";
import { platformLabel } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { counted, escapeForeign } from "../util/format.ts";

/** Platforms that a note lists. */
const MAX_LISTED = 8;

/**
 * The images of a root's index that are not taken: their platforms, or else their digests. Attestations are not images.
 *
 * @param planned what the source has of it.
 * @param taken has the digests of the manifests that are taken.
 */
export function leftOutImages(
  { manifests }: CopyPlan,
  root: Root,
  taken: Pick<ReadonlySet<Digest>, "has">,
): readonly string[] {
  const labels: string[] = [];
  const seen = new Set<Digest>();
  const walk = (digest: Digest): void => {
    const view = manifests.get(digest)?.view;
    for (const child of view?.kind === "index" ? view.manifests : []) {
      if (seen.has(child.digest) || child.annotations?.[ANNOTATION_REFERENCE_DIGEST] !== undefined) continue;
      seen.add(child.digest);
      if (manifests.get(child.digest)?.view.kind === "index") walk(child.digest);
      else if (!taken.has(child.digest)) labels.push(platformLabel(child));
    }
  };
  if (root.kind === "settled") walk(root.descriptor.digest);
  return labels;
}

/** A note that counts and names what is left out; none if that is nothing. @param images one list per image. */
export function leftOutNotes(
  images: readonly { readonly name: string; readonly absent: readonly string[] }[],
): readonly string[] {
  const some = images.filter(({ absent }) => absent.length > 0);
  const [first, ...others] = some;
  if (first === undefined) return [];
  const all = some.flatMap(({ absent }) => absent);
  const labels = [...new Set(all)];
  const listed = labels.slice(0, MAX_LISTED).map(label => escapeForeign(label));
  const more = labels.length - listed.length;
  const of = others.length === 0 ? first.name : `${some.length} images`;
  const which = `${listed.join(", ")}${more === 0 ? "" : ` and ${more} more`}`;
  return [`${of}: left out ${counted(all.length, "image")} of other platforms than those asked for: ${which}`];
}
