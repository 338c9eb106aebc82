import { EventEmitter } from "node:events";
import { textWidth } from "../../src/cli/screen/text-width.ts";

/** The second column of a wide character. */
const REST = "\u0000";

/**
 * A terminal that understands what imgpack writes: it starts a new row after its last column, scrolls at its end, and breaks
 * lines anew when its width changes, with the cursor at the same character.
 */
export class FakeTerminal extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  rows: number;
  /** Colours that were set, in their order. */
  readonly colours: string[] = [];
  /** Whether text after the last column starts a new row. */
  isWrapping = true;
  /** The width that the terminal has, before the process knows it. */
  #width: number;
  /** Without rows that scrolled away. A cell is a column. */
  #screen: string[][] = [[]];
  readonly #scrolled: string[][] = [];
  #row = 0;
  #column = 0;
  #saved: [row: number, column: number] = [0, 0];

  constructor(columns: number, rows = 24) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.#width = columns;
  }

  /** All rows, without empty ones at the end. */
  get shown(): readonly string[] {
    const all = [...this.#scrolled, ...this.#screen].map(textOf);
    return all.slice(0, all.findLastIndex(row => row !== "") + 1);
  }

  write(text: string): boolean {
    // Sequences begin with ESC, which no regular expression here may contain.
    const readable = text.replaceAll("\u001B7", "\vs").replaceAll("\u001B8", "\vu").replaceAll("\u001B[", "\v");
    for (const part of readable.split(/(\r|\n|\v\??\d*[A-Za-z])/)) {
      const [, count = "", command] = /^\v(\??\d*)([A-Za-z])$/.exec(part) ?? [];
      if (part === "\r") this.#column = 0;
      else if (part === "\n") this.#newLine();
      else if (command === "K") this.#current.length = Math.min(this.#current.length, this.#column);
      else if (command === "J") this.#clearDown();
      else if (command === "A") this.#row = Math.max(0, this.#row - Number(count || 1));
      else if (command === "B") this.#down(Number(count || 1));
      else if (command === "s") this.#saved = [this.#row, this.#column];
      else if (command === "u") [this.#row, this.#column] = this.#saved;
      else if (command === "m") this.colours.push(count);
      else if (count === "?7" && (command === "l" || command === "h")) this.isWrapping = command === "h";
      else if (command !== undefined) throw new Error(`unknown sequence ${JSON.stringify(part)}`);
      else for (const character of part) this.#print(character);
    }
    return true;
  }

  /** @param isReflowing whether long rows are broken anew, as most terminals do; others cut them. */
  resize(columns: number, isReflowing = true): void {
    this.resizeUnnoticed(columns, isReflowing);
    this.noticeSize();
  }

  /** As `resize`, but the process does not know of it until `noticeSize` is called. */
  resizeUnnoticed(columns: number, isReflowing = true): void {
    const broken = this.#screen.map(row => (isReflowing ? brokenRow(row, columns) : [row.slice(0, columns)]));
    this.#row = broken.slice(0, this.#row).flat().length;
    this.#screen = broken.flat();
    this.#width = columns;
  }

  noticeSize(): void {
    this.columns = this.#width;
    this.emit("resize");
  }

  get #current(): string[] {
    this.#screen[this.#row] ??= [];
    return this.#screen[this.#row] as string[];
  }

  /** Not below the last row. */
  #down(rows: number): void {
    this.#row = Math.min(this.rows - 1, this.#row + rows);
    while (this.#screen.length <= this.#row) this.#screen.push([]);
  }

  #clearDown(): void {
    this.#current.length = Math.min(this.#current.length, this.#column);
    this.#screen.length = this.#row + 1;
  }

  #print(character: string): void {
    const width = textWidth(character);
    if (width === 0) return;
    if (this.#column + width > this.#width) {
      if (this.isWrapping) {
        this.#column = 0;
        this.#newRow();
      } else this.#column = Math.max(0, this.#width - width);
    }
    const row = this.#current;
    while (row.length < this.#column) row.push(" ");
    row.splice(this.#column, width, ...[character, ...REST.repeat(width - 1)]);
    this.#column += width;
  }

  /** As the system makes it of a line feed: it adds a carriage return. */
  #newLine(): void {
    this.#column = 0;
    this.#newRow();
  }

  #newRow(): void {
    this.#row += 1;
    if (this.#row === this.#screen.length) this.#screen.push([]);
    if (this.#screen.length <= this.rows) return;
    this.#scrolled.push(this.#screen.shift() ?? []);
    this.#row -= 1;
  }
}

function textOf(row: readonly string[]): string {
  return row.join("").replaceAll(REST, "").trimEnd();
}

function brokenRow(row: readonly string[], columns: number): string[][] {
  const end = row.findLastIndex(cell => cell !== " ") + 1;
  const rows: string[][] = [];
  for (let at = 0; at < end; at += columns) rows.push(row.slice(at, Math.min(end, at + columns)));
  return rows.length === 0 ? [[]] : rows;
}
