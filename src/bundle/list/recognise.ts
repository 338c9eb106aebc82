import { linesOf } from "./parse-list.ts";

/** A key of YAML or JSON, a list item, a document marker, or a template of one. */
const STRUCTURED = /^(?:---(?:\s|$)|%YAML\s|- |[{[]|["']?[\w.$/-]+(?::\d+)?["']?\s*:(?:\s|$)|[A-Z][A-Z ]+:(?:\s|$))/;

/** Whether a text is YAML or JSON, and not a plain list: by its first line that is neither empty nor a comment. */
export function isStructured(text: string): boolean {
  for (const line of linesOf(text)) {
    const first = line.trimStart();
    if (first !== "" && !first.startsWith("#")) return STRUCTURED.test(first);
  }
  return false;
}
