import { type FoundReferences, isTemplate } from "./found-references.ts";
import { likelyReference, likelyWords } from "./likely-reference.ts";
import { fieldOf, TextLines, textOf, type YamlList, type YamlMap, type YamlNode, type YamlText } from "./yaml-node.ts";

/** Fields of a pod's spec with containers. */
const CONTAINERS: ReadonlySet<string> = new Set(["containers", "initContainers", "ephemeralContainers"]);
/** Annotations and fields that repeat the object. */
const REPEATS: ReadonlySet<string> = new Set(["kubectl.kubernetes.io/last-applied-configuration", "managedFields"]);
const RELATED = /^RELATED_IMAGE_/;

/** Where a value is: what `image` means there. */
interface Place {
  /** Whether the document is an object of Kubernetes, so that `image: REFERENCE` in it is an image. */
  readonly isObject: boolean;
  /** Whether an image without text is a mistake, and not a default of an operator. */
  readonly isStrict: boolean;
  /** Whether it is data, or metadata. */
  readonly isData: boolean;
  /** Whether what names it says that it is an image. */
  readonly isNamed: boolean;
}

/** Finds images in a document: an object of Kubernetes, or anything else that may have pods in it. */
export function findInKubernetes(root: YamlNode, found: FoundReferences): void {
  findInObject(root, new Walker(found), new Set());
}

/** @param seen objects of lists: an alias may name one of them again and again. */
function findInObject(root: YamlNode, walker: Walker, seen: Set<YamlNode>): void {
  if (seen.has(root)) return;
  seen.add(root);
  const kind = textOf(fieldOf(root, "kind"));
  const apiVersion = textOf(fieldOf(root, "apiVersion"));
  if (kind === "CustomResourceDefinition") return;
  const items = fieldOf(root, "items");
  if (kind?.endsWith("List") === true && apiVersion !== undefined && items?.kind === "list") {
    for (const item of items.items) findInObject(item, walker, seen);
    return;
  }
  const isObject = kind !== undefined && apiVersion !== undefined;
  const isStrict = isObject && /^(?:v1|(?:apps|batch)\/.*)$/.test(apiVersion);
  if (!isObject || root.kind !== "map") {
    walker.walk(root, { isObject, isStrict, isData: false, isNamed: false });
    return;
  }
  const isConfig = kind === "ConfigMap" || kind === "Secret";
  for (const [key, value] of root.entries) {
    if (key.text === "status" && !isConfig) continue;
    walker.walk(value, { isObject, isStrict, isData: isConfig || key.text === "metadata", isNamed: false });
  }
}

class Walker {
  readonly #found: FoundReferences;
  /** Aliases make one value of many: each is looked at once for each meaning of its place. */
  readonly #seen: Map<YamlNode, Set<string>> = new Map();

  constructor(found: FoundReferences) {
    this.#found = found;
  }

  walk(node: YamlNode, place: Place): void {
    if (!this.#isNew(node, JSON.stringify(place))) return;
    if (node.kind === "text") this.#text(node, place);
    else if (node.kind === "list") this.#list(node, place);
    else this.#map(node, place);
  }

  #isNew(node: YamlNode, meaning: string): boolean {
    const seen = this.#seen.get(node) ?? new Set();
    if (seen.has(meaning)) return false;
    this.#seen.set(node, seen.add(meaning));
    return true;
  }

  #text(node: YamlText, { isNamed }: Place): void {
    const lines = new TextLines(node);
    for (const { reference, index } of likelyWords(node.text, isNamed)) {
      this.#found.likely(reference, lines.lineAt(index));
    }
  }

  /** In arguments, `--image` names the next one. */
  #list({ items }: YamlList, place: Place): void {
    let isNamed = place.isNamed;
    for (const item of items) {
      this.walk(item, { ...place, isNamed });
      isNamed = place.isNamed || (item.kind === "text" && /image$/i.test(item.text));
    }
  }

  #map(map: YamlMap, place: Place): void {
    const parts = place.isData ? undefined : joinedParts(map);
    if (parts !== undefined) this.#found.likely(parts.text, parts.line);
    const variable = textOf(fieldOf(map, "name"));
    for (const [{ text: key }, value] of map.entries) {
      if (REPEATS.has(key)) continue;
      if (this.#isTaken(map, key, value, variable, place)) continue;
      const isNamed = /images?$/i.test(key) || (key === "value" && /image/i.test(variable ?? ""));
      this.walk(value, { ...place, isNamed });
    }
  }

  /** Whether the value was one of those that name an image for certain. */
  #isTaken(map: YamlMap, key: string, value: YamlNode, variable: string | undefined, place: Place): boolean {
    if (place.isData) return false;
    if (CONTAINERS.has(key) && value.kind === "list") {
      const isNew = this.#isNew(value, `${key} ${place.isStrict}`);
      for (const container of isNew ? value.items : []) this.#container(container, place);
      return true;
    }
    if (key === "volumes" && value.kind === "list") {
      for (const volume of this.#isNew(value, key) ? value.items : []) this.#volume(volume, place);
      return true;
    }
    if (key === "value" && variable !== undefined && RELATED.test(variable) && textOf(value) !== undefined) {
      this.#found.certain(value);
      return true;
    }
    if (key !== "image" || !place.isObject) return false;
    const text = textOf(value);
    const isUnrendered = text === undefined ? value.kind === "map" && value.isTemplate : isTemplate(text);
    if (!isUnrendered && (text === undefined || joinedParts(map) !== undefined || !isWhole(text))) return false;
    this.#found.certain(value);
    return true;
  }

  #container(container: YamlNode, place: Place): void {
    const image = fieldOf(container, "image");
    if (image !== undefined) this.#image(image, place);
    if (container.kind !== "map") this.walk(container, place);
    else this.#others(container, "image", place);
  }

  /** An operator may have a default for an empty image, words that it replaces, or parts of a reference. */
  #image(image: YamlNode, place: Place): void {
    const isText = image.kind === "text" && image.text !== "" && !isPlaceholder(image.text);
    if (place.isStrict || isText || (image.kind === "map" && image.isTemplate)) this.#found.certain(image);
    else this.walk(image, { ...place, isNamed: true });
  }

  /** An image volume: https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes */
  #volume(volume: YamlNode, place: Place): void {
    const reference = fieldOf(fieldOf(volume, "image"), "reference");
    if (reference !== undefined) this.#found.certain(reference);
    if (volume.kind !== "map") this.walk(volume, place);
    else this.#others(volume, reference === undefined ? "" : "image", place);
  }

  #others({ entries }: YamlMap, key: string, place: Place): void {
    for (const [{ text: name }, value] of entries) if (name !== key) this.walk(value, { ...place, isNamed: false });
  }
}

/** `{{inputs.parameters.image}}` of Argo, `$(params.image)` of Tekton. */
function isPlaceholder(text: string): boolean {
  return /\{\{|\$[({]/.test(text) && !isTemplate(text);
}

/** Whether it is a reference with a tag or a digest. */
function isWhole(text: string): boolean {
  return likelyReference(text, true) !== undefined && /[:@][^/]*$/.test(text);
}

/** Registry, repository and tag that are values of their own. */
function joinedParts(map: YamlMap): { readonly text: string; readonly line: number } | undefined {
  const part = (...keys: readonly string[]): string | undefined =>
    keys.map(key => textOf(fieldOf(map, key))).find(text => text !== undefined);
  const [registry, repository, image] = [part("registry"), part("repository", "newName"), part("image")];
  const [digest, tag] = [part("digest"), part("tag", "newTag", "version")];
  const base = repository ?? (registry === undefined ? undefined : image);
  const node = fieldOf(map, "repository") ?? fieldOf(map, "newName") ?? fieldOf(map, "image");
  if (base === undefined || node === undefined || (digest === undefined && tag === undefined)) return undefined;
  const name = repository !== undefined && image !== undefined ? `${repository}/${image}` : base;
  const joined = registry === undefined ? name : `${registry.replace(/\/+$/, "")}/${name}`;
  const text = digest === undefined ? `${joined}:${tag}` : `${joined}@${digest}`;
  const reference = likelyReference(text, true);
  return reference === undefined ? undefined : { text: reference, line: node.line };
}
