import type { OutputStreams } from "../context.ts";

/** Where the terminal does not say how large it is. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
const CLEAR_TO_END = "\u001B[J";
/** Clears from the cursor on, in the first column. From the corner of the screen, tmux would move all rows to its history. */
const CLEAR_HERE = `\r ${CLEAR_TO_END}\r`;
/** What is longer than a row ends there: a terminal can become narrower before this process gets to know it. */
const NO_WRAP = "\u001B[?7l";
const WRAP = "\u001B[?7h";

const shownBlocks = new Set<TerminalBlock>();

/**
 * Lines that are drawn again in the same rows of a terminal. Between two drawings the cursor is at the start of the first
 * line: there it stays when the terminal changes its size and wraps the lines again, so that clearing from it to the end of
 * the screen leaves nothing behind. The cursor is never hidden, so that no end of the process, however sudden, loses it.
 */
export class TerminalBlock {
  readonly #stderr: OutputStreams["stderr"];
  readonly #lines: (columns: number, rows: number) => readonly string[];
  #isShown = false;

  /** @param lines each shorter than `columns`, and fewer of them than `rows`. */
  constructor(stderr: OutputStreams["stderr"], lines: (columns: number, rows: number) => readonly string[]) {
    this.#stderr = stderr;
    this.#lines = lines;
  }

  readonly draw = (): void => {
    const size = "columns" in this.#stderr ? this.#stderr : undefined;
    const lines = this.#lines(size?.columns || DEFAULT_COLUMNS, size?.rows || DEFAULT_ROWS);
    const up = lines.length > 1 ? `\u001B[${lines.length - 1}A` : "";
    // Each line clears its own rest: clearing all of them first would flicker.
    const drawn = lines.map(line => `${line}\u001B[K`).join("\r\n");
    this.#stderr.write(`\r${NO_WRAP}${drawn}${CLEAR_TO_END}${up}\r${WRAP}`);
    if (!this.#isShown) this.#stderr.on("resize", this.draw);
    this.#isShown = true;
    shownBlocks.add(this);
  };

  clear(): void {
    if (!this.#isShown) return;
    this.#stderr.write(CLEAR_HERE);
    this.#stderr.off("resize", this.draw);
    this.#isShown = false;
    shownBlocks.delete(this);
  }
}

/** Clears what is drawn, before the process ends without the end of its command. */
export function clearBlocks(): void {
  for (const block of shownBlocks) block.clear();
}
