import type { Root } from "../../content/contracts.ts";
import { NotFoundError, UsageError } from "../../errors.ts";
import { type Digest, isDigest } from "../../oci/digest.ts";
import { formatReference, fullImageName, parseReference, resolveDockerHub } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import { listOf } from "../options/option-values.ts";

export interface ConvertNameOptions {
  /** Writes only the images with these names or digests. Default: all images of the archive. */
  readonly image?: string | readonly string[] | undefined;
  /** New names for the one image that is written, in place of those in the archive. */
  readonly tag?: string | readonly string[] | undefined;
}

/**
 * The images to write, with the names to give them.
 *
 * @param what names the archive in messages.
 * @throws NotFoundError for an image that the archive does not contain; UsageError for a tag and several images.
 */
export function chosenImages(roots: readonly Root[], options: ConvertNameOptions, what: string): readonly Root[] {
  const images = listOf("image", options.image);
  const tags = listOf("tag", options.tag);
  const chosen = images.length === 0 ? roots : images.map(image => find(roots, image, what));
  if (tags.length === 0) return chosen;
  const [root, ...others] = chosen;
  if (root !== undefined && others.length === 0) return [{ ...root, names: [...new Set(tags.map(fullTag))] }];
  const known = chosen.map(root => root.names[0] ?? idOf(root)).join(", ");
  throw new UsageError(
    `Cannot name ${what} ${tags.join(", ")}: it contains ${chosen.length} images (${known}), expected one`,
    { hint: "Choose one with --image NAME." },
  );
}

/** A name selects the image under this name alone, a digest under all of its names. */
function find(roots: readonly Root[], image: string, what: string): Root {
  const name = isDigest(image) ? undefined : fullName(image);
  const root = roots.find(root => (name === undefined ? idOf(root) === image : root.names.includes(name)));
  if (root !== undefined) return name === undefined ? root : { ...root, names: [name] };
  const known = roots.flatMap(root => (root.names.length > 0 ? root.names : [idOf(root)]));
  throw new NotFoundError(
    `Cannot convert ${quote(image)} from ${what}: no such image, expected ${known.join(" or ") || "none"}`,
    { hint: 'See what is in the archive with "imgpack inspect".' },
  );
}

function fullTag(text: string): string {
  if (parseReference(text).digest === undefined) return fullName(text);
  throw new UsageError(`Cannot name an image ${quote(text)}: it names a digest, expected a tag`, {
    hint: "Leave out the digest: it follows from the image.",
  });
}

function fullName(text: string): string {
  const { tag = "latest", ...reference } = resolveDockerHub(parseReference(text));
  return fullImageName(formatReference({ ...reference, tag }));
}

/** Names an image without a name: the digest of its manifest, or of its config if it has no manifest yet. */
function idOf(root: Root): Digest {
  return root.kind === "draft" ? root.draft.config.digest : root.descriptor.digest;
}
