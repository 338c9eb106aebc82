import { parsePlatform } from "../../../oci/platform.ts";
import { parseReference } from "../../../oci/reference.ts";
import { quote } from "../../../util/format.ts";
import { reasonOf, withoutScheme } from "../list-line.ts";
import type { ListedReference, ListedReferences, RefusedText } from "../listed-reference.ts";
import { shownText } from "../refused-texts.ts";
import type { YamlNode } from "./yaml-node.ts";

/** What an input says of a reference. */
type Details = Pick<ListedReference, "platforms" | "service">;

/** Collects what an input names. */
export class FoundReferences implements ListedReferences {
  readonly references: ListedReference[] = [];
  readonly refused: RefusedText[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** What stands where an image is named: a reference, or it is refused. */
  certain(node: YamlNode, more: Details = {}): void {
    if (node.kind === "text") this.certainText(node.text, node.line, more);
    else if (node.kind === "map" && node.isTemplate) this.refuse(node.line, "{{", TEMPLATE);
    else this.refuse(node.line, "", `found a ${node.kind}, expected a reference`);
  }

  certainText(text: string, line: number, more: Details = {}): void {
    const why = faultOf(text) ?? (more.platforms ?? []).map(platformFault).find(fault => fault !== undefined);
    if (why !== undefined) this.refuse(line, text, why);
    else this.#add("certain", text, line, more);
  }

  /** All tags of a repository. */
  all(repository: string, line: number): void {
    const why = faultOf(repository);
    if (why !== undefined) this.refuse(line, repository, why);
    else this.#add("certain", `${repository}:*`, line, {});
  }

  likely(text: string, line: number, more: Details = {}): void {
    if (faultOf(text) === undefined) this.#add("likely", text, line, more);
  }

  refuse(line: number, text: string, why: string): void {
    this.refused.push({ file: this.#file, line, text: shownText(text), why });
  }

  #add(kind: ListedReference["class"], text: string, line: number, more: Details): void {
    this.references.push({ reference: withoutScheme(text), class: kind, file: this.#file, line, ...more });
  }
}

/** What Helm renders. Workflows have other words in double braces, which no one renders before they run. */
export function isTemplate(text: string): boolean {
  return /\{\{-?\s*(?:[.$(]|(?:include|template|tpl|printf|default|if|range|with|required|toYaml)\b)/.test(text);
}

const TEMPLATE = 'found "{{" where a reference belongs, expected one';

function platformFault(platform: string): string | undefined {
  try {
    parsePlatform(platform);
    return undefined;
  } catch {
    return `found the platform ${quote(platform)} for it, expected one such as linux/amd64`;
  }
}

function faultOf(text: string): string | undefined {
  if (isTemplate(text)) return TEMPLATE;
  if (text === "") return "found no text, expected a reference";
  try {
    parseReference(withoutScheme(text));
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}
