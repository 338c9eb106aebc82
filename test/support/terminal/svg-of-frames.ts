// A picture of what a terminal shows. Text stays text, and its own background makes it readable on any page.
export interface Frame {
  /** What the moment is, above it. */
  readonly title: string;
  /** Rows with sequences for colours. */
  readonly rows: readonly string[];
}

interface Span {
  readonly text: string;
  readonly column: number;
  readonly style: string;
}

const CELL = 8.4;
const ROW = 20;
const MARGIN = 18;
const BAR = 34;
const COLOURS: Readonly<Record<string, string>> = { "31": "r", "32": "g", "33": "y", "34": "b", "36": "c", "1": "w" };

/** Frames below each other, as windows of the same width. @param columns of the terminal. */
export function svgOfFrames(frames: readonly Frame[], columns: number, label: string): string {
  const width = Math.ceil(columns * CELL + 2 * MARGIN);
  let top = 0;
  const windows = frames.map(({ title, rows }) => {
    const height = BAR + rows.length * ROW + MARGIN;
    const body = [
      `<rect x=".5" y="${top + 0.5}" width="${width - 1}" height="${height - 1}" rx="8"/>`,
      ...[20, 38, 56].map(x => `<circle cx="${x}" cy="${top + 18}" r="5.5"/>`),
      `<text class="t" x="${width / 2}" y="${top + 22}">${escaped(title)}</text>`,
      ...rows.flatMap((row, index) => textOf(row, top + BAR + (index + 1) * ROW - 6)),
    ];
    top += height + MARGIN;
    return body.join("\n");
  });
  const height = top - MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d6deeb;white-space:pre}
rect{fill:#10161f;stroke:#3b4656}circle{fill:#3b4656}
.t{fill:#8b98a9;text-anchor:middle;font-size:13px}.p{fill:#7fd1b9}.w{fill:#fff}
.g{fill:#8bd450}.y{fill:#f0c674}.r{fill:#ff7b72}.b{fill:#79b8ff}.c{fill:#7fdbca}
</style>
${windows.join("\n")}
</svg>
`;
}

function textOf(row: string, y: number): readonly string[] {
  return spansOf(row)
    .filter(({ text }) => text.trim() !== "")
    .map(({ text, column, style }) => {
      const start = text.length - text.trimStart().length;
      const shown = text.trim();
      const x = (MARGIN + (column + start) * CELL).toFixed(1);
      const name = style === "" ? "" : ` class="${style}"`;
      // Each piece is as wide as its columns, whatever font there is.
      return `<text${name} x="${x}" y="${y}" textLength="${(shown.length * CELL).toFixed(1)}">${escaped(shown)}</text>`;
    });
}

/** Pieces of one colour; the prompt has its own. */
function spansOf(row: string): readonly Span[] {
  const spans: Span[] = [];
  let column = 0;
  let style = "";
  // Sequences begin with ESC, which no regular expression here may contain.
  for (const part of row.replaceAll("\u001B[", "\v").split(/(\v[\d;]*m)/)) {
    const codes = /^\v([\d;]*)m$/.exec(part)?.[1];
    if (codes !== undefined) {
      style = codes.split(";").reduce((_, code) => COLOURS[code] ?? "", style);
    } else if (part !== "") {
      const isPrompt = column === 0 && part.startsWith("$ ");
      if (isPrompt) spans.push({ text: "$ ", column, style: "p" });
      spans.push({
        text: isPrompt ? part.slice(2) : part,
        column: isPrompt ? 2 : column,
        style: isPrompt ? "w" : style,
      });
      column += part.length;
    }
  }
  return spans;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
