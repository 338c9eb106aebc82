import type { FoundReferences } from "./found-references.ts";
import { fieldOf, textOf, type YamlNode } from "./yaml-node.ts";

/** hauler's `kind: Images`: https://docs.hauler.dev, "Hauler Manifests". */
export function isHaulerImages(root: YamlNode): boolean {
  return textOf(fieldOf(root, "kind")) === "Images" && fieldOf(fieldOf(root, "spec"), "images")?.kind === "list";
}

export function findInHaulerImages(root: YamlNode, found: FoundReferences): void {
  const images = fieldOf(fieldOf(root, "spec"), "images");
  for (const image of images?.kind === "list" ? images.items : []) {
    const platform = textOf(fieldOf(image, "platform"));
    const name = fieldOf(image, "name") ?? image;
    found.certain(name, platform === undefined ? {} : { platforms: [platform] });
  }
}

/** kbld's lock: https://carvel.dev/imgpkg, "ImagesLock". */
export function isImagesLock(root: YamlNode): boolean {
  return textOf(fieldOf(root, "kind")) === "ImagesLock" && fieldOf(root, "images")?.kind === "list";
}

export function findInImagesLock(root: YamlNode, found: FoundReferences): void {
  const images = fieldOf(root, "images");
  for (const image of images?.kind === "list" ? images.items : []) found.certain(fieldOf(image, "image") ?? image);
}

/** imgpack's need list: what an inside machine lacks. */
export function isNeedList(root: YamlNode): boolean {
  return textOf(fieldOf(root, "format")) === "imgpack-need";
}

export function findInNeedList(root: YamlNode, found: FoundReferences): void {
  const images = fieldOf(root, "images");
  for (const image of images?.kind === "list" ? images.items : []) found.certain(fieldOf(image, "name") ?? image);
}

/** The YAML of skopeo-sync(1): registries, with tags or digests for each repository. */
export function isSkopeoSync(root: YamlNode): boolean {
  if (root.kind !== "map" || root.entries.length === 0) return false;
  const keys = ["images", "images-by-tag-regex", "images-by-semver"];
  return root.entries.every(([, registry]) => {
    const lists = keys.map(key => fieldOf(registry, key)).filter(list => list !== undefined);
    return lists.length > 0 && lists.every(list => list.kind === "map");
  });
}

export function findInSkopeoSync(root: YamlNode, found: FoundReferences): void {
  for (const [{ text: host }, registry] of root.kind === "map" ? root.entries : []) {
    const images = fieldOf(registry, "images");
    for (const [name, tags] of images?.kind === "map" ? images.entries : []) {
      const repository = `${host}/${name.text}`;
      if (tags.kind === "list" && tags.items.length > 0) {
        for (const tag of tags.items) {
          const text = textOf(tag) ?? "";
          found.certainText(`${repository}${/^sha\d+:/.test(text) ? "@" : ":"}${text}`, tag.line);
        }
      } else found.all(repository, name.line);
    }
    for (const key of ["images-by-tag-regex", "images-by-semver"]) {
      const chosen = fieldOf(registry, key);
      for (const [name, rule] of chosen?.kind === "map" ? chosen.entries : []) {
        const text = `${host}/${name.text}: ${textOf(rule) ?? ""}`;
        found.refuse(name.line, text, "found a rule for tags, expected tags, or a list with wildcards");
      }
    }
  }
}

/** A sequence of references: what else is in it is refused, and never left out without a word. */
export function isPlainList(root: YamlNode): boolean {
  return root.kind === "list" && root.items.some(({ kind }) => kind === "text");
}

export function findInPlainList(root: YamlNode, found: FoundReferences): void {
  for (const item of root.kind === "list" ? root.items : []) found.certain(item);
}
