import type { Root } from "../../content/contracts.ts";
import { NotFoundError } from "../../errors.ts";
import { archiveName } from "../../oci/archive-names.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { quote } from "../../util/format.ts";

/**
 * The image that the user chose: a name selects it under this name alone, a digest under all of its names. What an archive
 * has in place of a name selects it, too.
 *
 * @param what names the archive in messages.
 * @throws NotFoundError for an image that the archive does not contain; BadReferenceError.
 */
export function chooseImage(roots: readonly Root[], image: string, verb: "push" | "convert", what: string): Root {
  const odd = roots.find(({ badNames = [] }) => badNames.includes(image));
  if (odd !== undefined) return { ...odd, names: [] };
  const name = isDigest(image) ? undefined : archiveName(image);
  const root = roots.find(root => (name === undefined ? idOf(root) === image : root.names.includes(name)));
  if (root !== undefined) return name === undefined ? root : { ...root, names: [name] };
  const known = roots.flatMap(root => (root.names.length > 0 ? root.names : [idOf(root)]));
  throw new NotFoundError(
    `Cannot ${verb} ${quote(image)} from ${what}: no such image, expected ${known.join(" or ") || "none"}`,
    { hint: 'See what is in the archive with "imgpack inspect".' },
  );
}

/** What names an image that has no name: the digest of its manifest, or of its config if it has no manifest yet. */
export function idOf(root: Root): Digest {
  return root.kind === "draft" ? root.draft.config.digest : root.descriptor.digest;
}

/** Notes what an archive has in place of names. */
export function noteBadNames(roots: readonly Root[], what: string, onNote: (message: string) => void): void {
  for (const { badNames = [] } of roots) {
    for (const name of badNames) onNote(`Ignoring ${quote(name)} in ${what}: no registry takes it as a name`);
  }
}
