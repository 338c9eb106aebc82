/** What takes two columns: East Asian Wide and Fullwidth of Unicode Standard Annex 11, and emoji. */
const WIDE = new RegExp(
  [
    "[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\u33ff\\u3400-\\u4dbf\\u4e00-\\ua4cf\\ua960-\\ua97c\\uac00-\\ud7a3\\uf900-\\ufaff]",
    "[\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6]",
    "[\\u{17000}-\\u{18aff}\\u{1b000}-\\u{1b2ff}\\u{20000}-\\u{3fffd}]",
    "\\p{Emoji_Presentation}",
  ].join("|"),
  "u",
);

/** What joins the character before it. */
const COMBINING = /[\p{Mn}\p{Me}\u1160-\u11ff]/u;

/** Columns that text without control characters takes on a terminal. */
export function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** As much from the start of a text as fits into `width` columns. */
export function startOf(text: string, width: number): string {
  let used = 0;
  let length = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > width) break;
    length += character.length;
  }
  return text.slice(0, length);
}

/** As much from the end of a text as fits into `width` columns. */
export function endOf(text: string, width: number): string {
  const characters = [...text];
  let used = 0;
  let from = characters.length;
  while (from > 0) {
    used += widthOf(characters[from - 1] ?? "");
    if (used > width) break;
    from -= 1;
  }
  return characters.slice(from).join("");
}

/** The text, or its start with `…` after it, in at most `width` columns. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  return width < 1 ? "" : `${startOf(text, width - 1).trimEnd()}…`;
}

/** Spaces after the text, up to `width` columns. */
export function padText(text: string, width: number): string {
  return `${text}${" ".repeat(Math.max(0, width - textWidth(text)))}`;
}

function widthOf(character: string): number {
  if (COMBINING.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
