/** The lines of a table with two spaces between columns; none without rows. */
export function* table(head: readonly string[], rows: readonly (readonly string[])[]): Generator<string> {
  if (rows.length === 0) return;
  const widths = head.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, (row[column] ?? "").length), title.length),
  );
  for (const row of [head, ...rows]) {
    yield row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  }
}
