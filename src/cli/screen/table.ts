import { cutText, padText, textWidth } from "./text-width.ts";
import { type View, WHOLE } from "./view.ts";

/** What is left of a column that is cut. */
const MIN_WIDTH = 8;
const GAP = "  ";

type Row = readonly string[];

/**
 * The lines of a table with two spaces between columns; none without rows. On a terminal that is too narrow, the columns
 * `cut` end with `…`; if that is not enough, the first column, which has the names, has a line of its own.
 *
 * @param cut numbers of the columns that may be cut; from the last one on.
 */
export function* table(
  head: Row,
  rows: readonly Row[],
  view: View = WHOLE,
  cut: readonly number[] = [],
): Generator<string> {
  if (rows.length === 0) return;
  const all = [head, ...rows];
  // Scripts get the same bytes, however wide a terminal shows them.
  const widthOf = view === WHOLE ? (text: string) => text.length : textWidth;
  const natural = head.map((_, column) => all.reduce((width, row) => Math.max(width, widthOf(row[column] ?? "")), 0));
  const widths = fitted(natural, view.columns, cut);
  if (widths !== undefined || head.length < 2) {
    for (const row of all) yield lineOf(row, widths ?? natural, view);
    return;
  }
  const below = natural.slice(1);
  const cutBelow = below.map((_, column) => column);
  const narrow = fitted(
    below,
    view.columns - GAP.length,
    cut.filter(column => column > 0).map(column => column - 1),
  );
  const least = narrow ?? fitted(below, view.columns - GAP.length, cutBelow) ?? below;
  for (const [name = "", ...others] of all) {
    yield name;
    yield `${GAP}${lineOf(others, least, view)}`;
  }
}

function lineOf(row: Row, widths: readonly number[], view: View): string {
  const cells = widths.map((width, column) => {
    const cell = row[column] ?? "";
    return view === WHOLE ? cell.padEnd(width) : padText(cutText(cell, width), width);
  });
  return cells.join(GAP).trimEnd();
}

/** Widths that fit; undefined if there are none. */
function fitted(natural: readonly number[], columns: number, cut: readonly number[]): readonly number[] | undefined {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, (widths.length - 1) * GAP.length) - columns;
  for (const column of [...cut].sort((left, right) => right - left)) {
    const width = widths[column] ?? 0;
    const less = Math.max(0, Math.min(excess, width - MIN_WIDTH));
    widths[column] = width - less;
    excess -= less;
  }
  return excess > 0 ? undefined : widths;
}
