/** A value of a YAML or JSON document, with the line where it begins. Aliases are the node that they name. */
export type YamlNode = YamlMap | YamlList | YamlText;

export interface YamlMap {
  readonly kind: "map";
  readonly line: number;
  /** The last value of each key. */
  readonly fields: ReadonlyMap<string, YamlNode>;
  /** What `<<` merges into it. */
  readonly merged: readonly YamlNode[];
  /** As written, in order. */
  readonly entries: readonly (readonly [key: YamlText, value: YamlNode])[];
  /** Whether it begins with `{{`: a template that was not rendered looks like a map. */
  readonly isTemplate: boolean;
}

export interface YamlList {
  readonly kind: "list";
  readonly line: number;
  readonly items: readonly YamlNode[];
}

/** A scalar. Numbers and other values are as they were written. */
export interface YamlText {
  readonly kind: "text";
  readonly line: number;
  readonly text: string;
  /** Whether its lines are those of the file, the first one after `line`. */
  readonly isBlock: boolean;
}

export function yamlMap(line: number, entries: YamlMap["entries"], isTemplate: boolean): YamlMap {
  const merged = entries.flatMap(([name, value]) => (name.text === "<<" ? [value] : [])).slice(0, MAX_MERGES);
  const fields = new Map(entries.map(([name, value]) => [name.text, value]));
  return { kind: "map", line, fields, merged, entries, isTemplate };
}

/** Maps that one map is merged from; more are those of a broken or hostile file. */
const MAX_MERGES = 64;

/** The value of a key, also of the maps that `<<` merges. */
export function fieldOf(node: YamlNode | undefined, key: string): YamlNode | undefined {
  if (node?.kind !== "map") return undefined;
  let waiting: readonly YamlNode[] = [node];
  for (let seen = 0; seen < MAX_MERGES; seen += 1) {
    const [map, ...others] = waiting;
    if (map === undefined) return undefined;
    waiting = map.kind === "list" ? [...map.items.slice(0, MAX_MERGES), ...others] : others;
    if (map.kind !== "map") continue;
    const found = map.fields.get(key);
    if (found !== undefined) return found;
    waiting = [...map.merged, ...others.slice(0, MAX_MERGES)];
  }
  return undefined;
}

/** The text of a scalar; undefined for anything else, and for an empty one. */
export function textOf(node: YamlNode | undefined): string | undefined {
  return node?.kind === "text" && node.text !== "" ? node.text : undefined;
}

/** The lines of characters of a scalar, in their order, as near as its form allows. */
export class TextLines {
  readonly #node: YamlText;
  #at = 0;
  #lines = 1;

  constructor(node: YamlText) {
    this.#node = node;
  }

  /** @param index not less than the one before. */
  lineAt(index: number): number {
    const { line, text, isBlock } = this.#node;
    if (!isBlock) return line;
    for (let at = text.indexOf("\n", this.#at); at !== -1 && at < index; at = text.indexOf("\n", at + 1)) {
      this.#lines += 1;
      this.#at = at + 1;
    }
    return line + this.#lines;
  }
}
