import type { Root } from "../../content/contracts.ts";
import { UsageError } from "../../errors.ts";
import { fullImageName, parseReference } from "../../oci/reference.ts";
import { quote } from "../../util/format.ts";
import { listOf } from "../options/option-values.ts";
import { chooseImage, idOf } from "../shared/choose-image.ts";

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
  const images = listOf(options.image);
  const tags = listOf(options.tag);
  const chosen = images.length === 0 ? roots : images.map(image => chooseImage(roots, image, "convert", what));
  if (tags.length === 0) return chosen;
  const [root, ...others] = chosen;
  if (root !== undefined && others.length === 0) return [{ ...root, names: [...new Set(tags.map(fullTag))] }];
  const known = chosen.map(root => root.names[0] ?? idOf(root)).join(", ");
  throw new UsageError(
    `Cannot name ${what} ${tags.join(", ")}: it contains ${chosen.length} images (${known}), expected one`,
    { hint: "Choose one with --image NAME." },
  );
}

function fullTag(text: string): string {
  if (parseReference(text).digest === undefined) return fullImageName(text);
  throw new UsageError(`Cannot name an image ${quote(text)}: it names a digest, expected a tag`, {
    hint: "Leave out the digest: it follows from the image.",
  });
}
