import { reportCsv } from "./report-csv.ts";
import { reportDocument } from "./report-document.ts";
import { reportJson } from "./report-json.ts";
import type { TransferReport } from "./transfer-report.ts";

/** Forms of a transfer report. */
export type TransferReportForm = "html" | "csv" | "json";

/**
 * A report as one text: a page that prints on A4, without scripts and requests; a line for each image and platform; or all
 * of it, with the names of `TransferReport`.
 *
 * @example
 * ```ts
 * import { formatTransferReport, transferReport } from "imgpack";
 *
 * console.log(formatTransferReport(await transferReport("site.tar"), "csv"));
 * ```
 */
export function formatTransferReport(report: TransferReport, form: TransferReportForm): string {
  switch (form) {
    case "html":
      return String(reportDocument(report));
    case "csv":
      return reportCsv(report);
    case "json":
      return reportJson(report);
  }
}
