import { repositoryOf } from "../../../oci/names/repository-of.ts";
import { fullImageName } from "../../../oci/reference.ts";
import type { Catalogue, ListedImage } from "./catalogue.ts";

/** Finds images by their names, by digest, and by short names as Docker completes them. */
export function imageFinder(images: readonly ListedImage[]): Catalogue["find"] {
  const byName = new Map<string, ListedImage>();
  for (const image of images) byName.set(image.name, image);
  for (const image of images) {
    const { digest, repository } = image;
    const original = repositoryOf(image.name);
    for (const name of [`${original}@${digest}`, `${repository}@${digest}`, `${repository}:${image.tag ?? ""}`]) {
      if (!byName.has(name)) byName.set(name, image);
    }
  }
  return name => byName.get(name) ?? byName.get(completed(name));
}

/** Without a tag that a digest makes needless. */
function completed(name: string): string {
  try {
    return fullImageName(name).replace(/:[^:@/]+(?=@)/, "");
  } catch {
    return "";
  }
}
