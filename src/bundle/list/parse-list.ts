import { readListLine } from "./list-line.ts";
import type { ListedReference, ListedReferences, RefusedText } from "./listed-reference.ts";
import { shownText } from "./refused-texts.ts";

/** What `imgpack lock --list` writes after each reference: how sure it is, and where the reference comes from. */
const ORIGIN = /\t(?:certain|likely)\t.*$/;
const COMMENT = /(?:^|\s)#.*$/;

/**
 * Reads a list of references, one per line: `REFERENCE [PLATFORM[,…]] [-> NAME]`. A comment begins with "#" at the start of
 * a line or after a blank. A byte order mark, CRLF, tabs, and blanks around a line change nothing.
 *
 * @param file as the user named it.
 * @returns all that it names, and all lines that cannot be taken.
 */
export function parseList(text: string, file: string): ListedReferences {
  const references: ListedReference[] = [];
  const refused: RefusedText[] = [];
  for (const [index, whole] of linesOf(text).entries()) {
    const content = whole.replace(ORIGIN, "").replace(COMMENT, "").trim();
    if (content === "") continue;
    const read = readListLine(content);
    const place = { file, line: index + 1 };
    if ("why" in read) refused.push({ ...place, text: shownText(content), why: read.why });
    else references.push({ ...read, class: "certain", ...place });
  }
  return { references, refused };
}

/** The lines of a text; a byte order mark is none of its characters. */
export function linesOf(text: string): readonly string[] {
  return text.replace(/^\uFEFF/, "").split(/\r\n|\n/);
}
