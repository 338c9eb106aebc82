/**
 * What a spreadsheet takes for a formula at the start of a cell, also after blanks (OWASP, "CSV Injection"). Some take the
 * full-width forms of the signs for the signs themselves.
 */
const FORMULA = /^(?:\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|[\t\r\n])/;

/** Rows as CSV (RFC 4180). A cell that a spreadsheet would take for a formula begins with an apostrophe. */
export function formatCsv(rows: readonly (readonly string[])[]): string {
  return rows.map(cells => `${cells.map(cell).join(",")}\r\n`).join("");
}

function cell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
