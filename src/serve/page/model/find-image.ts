import { fullImageName } from "../../../oci/reference.ts";
import { once } from "../../../util/lazy/once.ts";
import type { Catalogue, ListedImage } from "./catalogue.ts";

/** Finds images by their names, by digest, and by short names as Docker completes them. */
export function imageFinder(images: readonly ListedImage[]): Catalogue["find"] {
  const names = once(() => imagesByName(images));
  return name => names().get(name) ?? names().get(completed(name));
}

function imagesByName(images: readonly ListedImage[]): ReadonlyMap<string, ListedImage> {
  const byName = new Map<string, ListedImage>();
  for (const image of images) byName.set(image.name, image);
  for (const image of images) {
    const { digest, repository, registry, path, tag } = image;
    const original = registry === "" ? path : `${registry}/${path}`;
    const others = [`${original}@${digest}`, `${repository}@${digest}`, `${repository}:${tag ?? ""}`];
    for (const name of others) if (!byName.has(name)) byName.set(name, image);
  }
  return byName;
}

/** Without a tag that a digest makes needless. */
function completed(name: string): string {
  try {
    return fullImageName(name).replace(/:[^:@/]+(?=@)/, "");
  } catch {
    return "";
  }
}
