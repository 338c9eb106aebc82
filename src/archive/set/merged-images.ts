import type { Root } from "../../content/contracts.ts";
import { idOf } from "../../content/root-id.ts";
import { ArchiveError } from "../../errors.ts";
import { tagNameOf } from "../../oci/names/pinned-names.ts";
import { quote } from "../../util/format.ts";
import type { ImageArchive } from "../archive-source.ts";

/**
 * The images of several archives, each once, with the names that it has in any of them.
 *
 * @throws ArchiveError "two-images" for a name that means two of them.
 */
export function mergedImages(archives: readonly ImageArchive[]): readonly Root[] {
  const owners = new Map<string, { readonly id: string; readonly what: string }>();
  for (const { images, what } of archives) {
    for (const root of images) {
      const id = idOf(root);
      for (const name of root.names) {
        const owner = owners.get(name);
        if (owner !== undefined && owner.id !== id) {
          throw new ArchiveError(
            "two-images",
            `Cannot join ${owner.what} and ${what}: ${quote(name)} is ${owner.id} in one and ${id} in the other, expected one image`,
            { hint: "Leave out one of them, or convert one with --image or --tag first." },
          );
        }
        owners.set(name, { id, what });
      }
    }
  }
  return united(archives.flatMap(({ images }) => images));
}

/** The same, where a name means what the first list that has it says. */
export function overlaidImages(lists: readonly (readonly Root[])[]): readonly Root[] {
  const owners = new Map<string, string>();
  const images: Root[] = [];
  for (const list of lists) {
    for (const root of list) {
      const id = idOf(root);
      const names = root.names.filter(name => (owners.get(keyOf(name)) ?? id) === id);
      if (names.length > 0 || root.names.length === 0) images.push({ ...root, names });
    }
    for (const root of list)
      for (const name of root.names.map(keyOf)) if (!owners.has(name)) owners.set(name, idOf(root));
  }
  return united(images);
}

/** Names of the bases that mean other images of the tops. */
export function replacedNames(tops: readonly ImageArchive[], bases: readonly ImageArchive[]): readonly string[] {
  if (bases.length === 0) return [];
  const owners = new Map<string, string>();
  for (const { images } of tops)
    for (const root of images) for (const name of root.names) owners.set(keyOf(name), idOf(root));
  const replaced = new Set<string>();
  for (const { images } of bases) {
    for (const root of images) {
      for (const name of root.names.map(keyOf)) if ((owners.get(name) ?? idOf(root)) !== idOf(root)) replaced.add(name);
    }
  }
  return [...replaced].sort();
}

function united(images: readonly Root[]): readonly Root[] {
  const found = new Map<string, Root>();
  for (const root of images) {
    const known = found.get(idOf(root));
    if (known === undefined) found.set(idOf(root), root);
    else {
      const names = [...new Set([...known.names, ...root.names])];
      const badNames = [...new Set([...(known.badNames ?? []), ...(root.badNames ?? [])])];
      found.set(idOf(root), { ...known, names, badNames });
    }
  }
  return [...found.values()];
}

/** A newer image takes a tag also where a digest is next to it. */
function keyOf(name: string): string {
  return tagNameOf(name) ?? name;
}
