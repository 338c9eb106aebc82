import { type LineFault, readListLine } from "./list-line.ts";
import type { ListedReference, ListedReferences, RefusedText } from "./listed-reference.ts";
import { shownText } from "./refused-texts.ts";

/** What `imgpack lock --list` writes after each reference: how sure it is, and where the reference comes from. */
const ORIGIN = /\t(?:certain|likely)\t.*$/;
/** Of one file. */
export const MAX_REFERENCES = 100_000;
export const MAX_REFUSED = 1000;
/** Many times a reference, a name and all platforms that there are. */
const MAX_LINE_LENGTH = 16_384;
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
  let line = 0;
  for (const whole of linesOf(text)) {
    line += 1;
    if (whole === "") continue;
    const content = whole.replace(ORIGIN, "").replace(COMMENT, "").trim();
    if (content === "") continue;
    const read = content.length > MAX_LINE_LENGTH ? tooLong(content) : readListLine(content);
    const place = { file, line };
    if ("why" in read) refused.push({ ...place, text: shownText(content), why: read.why });
    else references.push({ ...read, class: "certain", ...place });
    if (references.length > MAX_REFERENCES) {
      refused.push({ ...place, text: "", why: `found more than ${MAX_REFERENCES} references, expected fewer` });
    }
    // A file of another kind would give one for each line.
    if (refused.length >= MAX_REFUSED || references.length > MAX_REFERENCES) break;
  }
  return { references, refused };
}

function tooLong({ length }: string): LineFault {
  return { why: `found ${length} characters in one line, expected at most ${MAX_LINE_LENGTH}` };
}

/** The lines of a text, one at a time; a byte order mark is none of its characters. */
export function* linesOf(text: string): Generator<string> {
  let start = text.startsWith("\uFEFF") ? 1 : 0;
  for (;;) {
    const end = text.indexOf("\n", start);
    if (end === -1) break;
    yield text.slice(start, text[end - 1] === "\r" && end > start ? end - 1 : end);
    start = end + 1;
  }
  yield text.slice(start);
}
