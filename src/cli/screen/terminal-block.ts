import type { OutputStreams } from "../context.ts";

/** Where the terminal does not say how large it is. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const CLEAR_TO_END = "\u001B[J";
/** Clears from the cursor on, in the first column. From the corner of the screen, tmux would move all rows to its history. */
const CLEAR_HERE = `\r ${CLEAR_TO_END}\r`;
/** A terminal can become smaller before this process gets to know it: what is longer than a row ends there. */
const NO_WRAP = "\u001B[?7l";
const WRAP = "\u001B[?7h";
/** To the next row, without scrolling in the last one, for rows that are there already. */
const DOWN = "\r\u001B[B";
const SAVE = "\u001B7";
const RESTORE = "\u001B8";

const shownBlocks = new Set<TerminalBlock>();

/**
 * Lines that are drawn again in the same rows of a terminal. Between two drawings the cursor is at the start of the first
 * line: there it stays when the terminal changes its size and wraps the lines again, so that clearing from it to the end of
 * the screen leaves nothing behind. The cursor is never hidden, so that no end of the process, however sudden, loses it.
 */
export class TerminalBlock {
  readonly #stderr: OutputStreams["stderr"];
  readonly #lines: (columns: number, rows: number) => readonly string[];
  /** Rows that the last drawing took; 0 if nothing is drawn, or the size has changed since. */
  #rows = 0;
  #isShown = false;

  /** @param lines each shorter than `columns`, and fewer of them than `rows`. */
  constructor(stderr: OutputStreams["stderr"], lines: (columns: number, rows: number) => readonly string[]) {
    this.#stderr = stderr;
    this.#lines = lines;
  }

  readonly draw = (): void => {
    const size = "columns" in this.#stderr ? this.#stderr : undefined;
    const lines = this.#lines(size?.columns || DEFAULT_COLUMNS, size?.rows || DEFAULT_ROWS);
    // Each line clears its own rest: clearing all of them first would flicker.
    const cleared = lines.map(line => `${line}\u001B[K`);
    const isNew = lines.length > this.#rows;
    const up = lines.length > 1 ? `\u001B[${lines.length - 1}A` : "";
    const drawn = isNew
      ? `${cleared.join("\r\n")}${CLEAR_TO_END}${up}\r`
      : `${SAVE}${cleared.join(DOWN)}${CLEAR_TO_END}${RESTORE}`;
    this.#stderr.write(`\r${NO_WRAP}${drawn}${WRAP}`);
    this.#rows = lines.length;
    if (!this.#isShown) this.#stderr.on("resize", this.#redraw);
    this.#isShown = true;
    shownBlocks.add(this);
  };

  clear(): void {
    if (!this.#isShown) return;
    this.#stderr.write(CLEAR_HERE);
    this.#stderr.off("resize", this.#redraw);
    this.#isShown = false;
    this.#rows = 0;
    shownBlocks.delete(this);
  }

  readonly #redraw = (): void => {
    this.#rows = 0;
    this.draw();
  };
}

/** Clears what is drawn, before the process ends without the end of its command. */
export function clearBlocks(): void {
  for (const block of shownBlocks) block.clear();
}
