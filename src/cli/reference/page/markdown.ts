/** What GitHub would take for markup, and words that are to be copied. */
const CODE = /\$[A-Z][A-Z0-9_]+|(?<![\w-])--[a-z0-9][a-z0-9-]*/g;

/** Text of a definition as Markdown: flags and variables are code, and nothing in it is markup by chance. */
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
