/** One row of two lists side by side. */
export interface AlignedPair<T> {
  readonly a: T | undefined;
  readonly b: T | undefined;
}

/** Cells of the table that is filled for two lists; above that, what lies between equal ends is not aligned. */
const MAX_CELLS = 250_000;

/**
 * Puts two lists side by side: as many equal entries as possible are in one row, in the order of both. What is between them
 * is in rows of its own, those of A first.
 */
export function align<T>(a: readonly T[], b: readonly T[], isEqual: (a: T, b: T) => boolean): AlignedPair<T>[] {
  let start = 0;
  while (start < a.length && start < b.length && equalAt(a, start, b, start, isEqual)) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && equalAt(a, endA - 1, b, endB - 1, isEqual)) {
    endA -= 1;
    endB -= 1;
  }
  return [
    ...a.slice(0, start).map((each, index) => ({ a: each, b: b[index] })),
    ...alignMiddle(a.slice(start, endA), b.slice(start, endB), isEqual),
    ...a.slice(endA).map((each, index) => ({ a: each, b: b[endB + index] })),
  ];
}

/** By the longest common subsequence. */
function alignMiddle<T>(a: readonly T[], b: readonly T[], isEqual: (a: T, b: T) => boolean): AlignedPair<T>[] {
  const pairs: AlignedPair<T>[] = [];
  const width = b.length + 1;
  const isSmall = a.length * b.length <= MAX_CELLS;
  /** Length of the longest common subsequence of what follows. */
  const lengths = new Uint32Array(isSmall ? (a.length + 1) * width : 0);
  if (isSmall) {
    for (let row = a.length - 1; row >= 0; row -= 1) {
      for (let column = b.length - 1; column >= 0; column -= 1) {
        const at = row * width + column;
        lengths[at] = equalAt(a, row, b, column, isEqual)
          ? 1 + (lengths[at + width + 1] ?? 0)
          : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0);
      }
    }
  }
  let [row, column] = [0, 0];
  while (isSmall && row < a.length && column < b.length) {
    const at = row * width + column;
    if (equalAt(a, row, b, column, isEqual)) {
      pairs.push({ a: a[row], b: b[column] });
      row += 1;
      column += 1;
    } else if ((lengths[at + width] ?? 0) >= (lengths[at + 1] ?? 0)) {
      pairs.push({ a: a[row], b: undefined });
      row += 1;
    } else {
      pairs.push({ a: undefined, b: b[column] });
      column += 1;
    }
  }
  for (const each of a.slice(row)) pairs.push({ a: each, b: undefined });
  for (const each of b.slice(column)) pairs.push({ a: undefined, b: each });
  return pairs;
}

function equalAt<T>(
  a: readonly T[],
  row: number,
  b: readonly T[],
  column: number,
  isEqual: (a: T, b: T) => boolean,
): boolean {
  const [left, right] = [a[row], b[column]];
  return left !== undefined && right !== undefined && isEqual(left, right);
}
