import { EventEmitter } from "node:events";

/**
 * A terminal that understands what imgpack writes: it starts a new row after its last column, scrolls at its end, and breaks
 * lines anew when its width changes, with the cursor at the same character.
 */
export class FakeTerminal extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  rows: number;
  /** Without rows that scrolled away. */
  #screen: string[] = [""];
  readonly #scrolled: string[] = [];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows = 24) {
    super();
    this.columns = columns;
    this.rows = rows;
  }

  /** All rows, without empty ones at the end. */
  get shown(): readonly string[] {
    const all = [...this.#scrolled, ...this.#screen].map(row => row.trimEnd());
    return all.slice(0, all.findLastIndex(row => row !== "") + 1);
  }

  write(text: string): boolean {
    // Sequences begin with ESC, which no regular expression here may contain.
    for (const part of text.replaceAll("\u001B[", "\v").split(/(\r|\n|\v\d*[A-Z])/)) {
      const [, count, command] = /^\v(\d*)([A-Z])$/.exec(part) ?? [];
      if (part === "\r") this.#column = 0;
      else if (part === "\n") this.#newLine();
      else if (command === "K") this.#setRow(this.#current.slice(0, this.#column));
      else if (command === "J") this.#clearDown();
      else if (command === "A") this.#row = Math.max(0, this.#row - Number(count || 1));
      else if (command !== undefined) throw new Error(`unknown sequence ${JSON.stringify(part)}`);
      else for (const character of part) this.#print(character);
    }
    return true;
  }

  /** @param isReflowing whether long rows are broken anew, as most terminals do; others cut them. */
  resize(columns: number, isReflowing = true): void {
    const rows = this.#screen.map(row => row.trimEnd());
    this.columns = columns;
    const broken = rows.map(row =>
      isReflowing ? (row.match(new RegExp(`.{1,${columns}}`, "g")) ?? [""]) : [row.slice(0, columns)],
    );
    this.#row = broken.slice(0, this.#row).flat().length;
    this.#screen = broken.flat();
    this.emit("resize");
  }

  get #current(): string {
    return this.#screen[this.#row] ?? "";
  }

  #setRow(text: string): void {
    this.#screen[this.#row] = text;
  }

  #clearDown(): void {
    this.#setRow(this.#current.slice(0, this.#column));
    this.#screen.length = this.#row + 1;
  }

  #print(character: string): void {
    if (this.#column === this.columns) {
      this.#column = 0;
      this.#newRow();
    }
    const row = this.#current.padEnd(this.#column);
    this.#setRow(row.slice(0, this.#column) + character + row.slice(this.#column + 1));
    this.#column += 1;
  }

  /** As the system makes it of a line feed: it adds a carriage return. */
  #newLine(): void {
    this.#column = 0;
    this.#newRow();
  }

  #newRow(): void {
    this.#row += 1;
    if (this.#row === this.#screen.length) this.#screen.push("");
    if (this.#screen.length <= this.rows) return;
    this.#scrolled.push(this.#screen.shift() ?? "");
    this.#row -= 1;
  }
}
