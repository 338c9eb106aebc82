import { isFailure, type ReportedFailure, type ReportedImage, type RescueReport } from "./rescue-report.ts";

const COLUMNS = ["source", "status", "id", "target", "digest", "config", "bytes", "error", "message", "hint"] as const;
/** What a spreadsheet takes for a formula at the start of a cell (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r\n]/;

/** The rows of a report as CSV (RFC 4180). */
export function csvReport({ images, dryRun }: RescueReport): string {
  const rows = [COLUMNS, ...images.map(image => cellsOf(image, dryRun))];
  return rows.map(cells => `${cells.map(cell).join(",")}\r\n`).join("");
}

function cellsOf(image: ReportedImage | ReportedFailure, dryRun: boolean): readonly string[] {
  if (isFailure(image)) {
    const { code, message, hint = "" } = image.error;
    return [image.source, "failed", "", "", "", "", "", code, message, hint];
  }
  const { source, id, target, digest = "", config = "", bytes } = image;
  return [source, dryRun ? "planned" : "copied", id, target, digest, config, String(bytes), "", "", ""];
}

function cell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
