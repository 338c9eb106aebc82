/** Words that are to be copied: variables, flags, addresses. */
const CODE =
  /\$?\b[A-Z][A-Z0-9]*_[A-Z0-9_]+|\$[A-Z]+|(?<![\w-])--?[a-z][a-z0-9-]*|(?<!\[)\b[a-z][a-z0-9+]*:\/\/(?:[^\s,;()]*[\w/\]*…])?/g;

/** Text of a definition as Markdown, with nothing in it that is markup by chance. */
export function markdown(text: string): string {
  let result = "";
  let end = 0;
  for (const match of text.matchAll(CODE)) {
    result += escaped(text.slice(end, match.index)) + code(match[0]);
    end = match.index + match[0].length;
  }
  return result + escaped(text.slice(end));
}

export function code(text: string): string {
  return `\`${text}\``;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [row(head), `|${"---|".repeat(head.length)}`, ...rows.map(row)].join("\n");
}

function escaped(text: string): string {
  return text.replace(/[\\*_`<>]|\[(?=[^\]]*\]\()/g, "\\$&");
}
