import type { Html } from "../html/html.ts";
import { reportSheet } from "./report-sheet.ts";
import { sheetFoot, sheetName } from "./report-text.ts";
import { standalonePage } from "./standalone-page.ts";
import type { TransferReport } from "./transfer-report.ts";

/** The report as one file. Only its second stylesheet, of one line, changes with the report. */
export function reportDocument(report: TransferReport): Html {
  return standalonePage(sheetName(report), reportSheet(report), [sheetFoot(report)]);
}
