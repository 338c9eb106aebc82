/** How a page of the help is laid out. */
export interface HelpLayout {
  /** Columns; no line is longer. */
  readonly width: number;
  /** Whether headings and names are bold. */
  readonly isStyled: boolean;
}

/** A name, and what it means. */
export interface HelpRow {
  readonly term: string;
  readonly text: string;
}

export const MIN_WIDTH = 40;
export const MAX_WIDTH = 120;
const INDENT = 2;
/** Below it, each text is on lines of its own. */
const MIN_COLUMNS_WIDTH = 64;
const GAP = 2;

export function bold(text: string, { isStyled }: HelpLayout): string {
  return isStyled && text !== "" ? `\u001b[1m${text}\u001b[22m` : text;
}

/** How a command is called. */
export function usageLines(text: string, layout: HelpLayout): readonly string[] {
  const [first = "", ...more] = paragraph(text, layout, "Usage: ".length);
  return [`${bold("Usage:", layout)} ${first.trimStart()}`, ...more];
}

/** A heading with what is below it; nothing if there is nothing. */
export function section(title: string, lines: readonly string[], layout: HelpLayout): readonly string[] {
  return lines.length === 0 ? [] : ["", bold(`${title}:`, layout), ...lines];
}

export function paragraph(text: string, { width }: HelpLayout, indent = 0): readonly string[] {
  return wrapped(text, width - indent).map(line => `${" ".repeat(indent)}${line}`);
}

/**
 * Names with their texts next to them, or below the names that are long.
 *
 * @param columns of the names with their indent.
 */
export function rowLines(rows: readonly HelpRow[], columns: number, layout: HelpLayout): readonly string[] {
  return rows.flatMap(row => oneRow(row, columns, layout));
}

/** What is not broken: `(default 4)`. */
const SHORT_DEFAULT = /\(default[^()]{1,20}\)/g;
const NO_BREAK = "\u00a0";

function oneRow({ term, text }: HelpRow, columns: number, layout: HelpLayout): readonly string[] {
  const isBelow = layout.width < MIN_COLUMNS_WIDTH;
  const indent = isBelow ? INDENT * 4 : columns;
  const kept = text.replace(SHORT_DEFAULT, part => part.replaceAll(" ", NO_BREAK));
  const [own = "", ...more] = paragraph(kept, layout, indent).map(line => line.replaceAll(NO_BREAK, " "));
  const names = wrapped(term.trimStart(), layout.width - INDENT - (isBelow ? INDENT : leading(term)));
  const margin = " ".repeat(INDENT + (isBelow ? 0 : leading(term)));
  const shown = names.map((name, line) => `${margin}${line === 0 ? "" : "  "}${bold(name, layout)}`);
  const [name = ""] = names;
  const room = columns - margin.length - name.length;
  if (isBelow || names.length > 1 || room < GAP) return [...shown, ...(own === "" ? [] : [own]), ...more];
  return [`${shown[0] ?? ""}${" ".repeat(room)}${own.trimStart()}`.trimEnd(), ...more];
}

function leading(text: string): number {
  return text.length - text.trimStart().length;
}

/** Breaks at spaces; a word that is too long also after | , / and =. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const joined = line === "" ? word : `${line} ${word}`;
    if (joined.length <= width) {
      line = joined;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    while (line.length > width) {
      const [part] = /^.{1,}[|,/=]/u.exec(line.slice(0, width)) ?? [line.slice(0, width)];
      lines.push(part);
      line = line.slice(part.length);
    }
  }
  return [...lines, line];
}
