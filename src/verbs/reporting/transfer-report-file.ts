import { formatTransferReport } from "../../serve/page/report/format-report.ts";
import type { TransferReport } from "../../serve/page/report/transfer-report.ts";
import { ReportFile, type ReportForms } from "../files/report-file.ts";

const FORMS: ReportForms<TransferReport> = {
  ".html": report => formatTransferReport(report, "html"),
  ".csv": report => formatTransferReport(report, "csv"),
  ".json": report => formatTransferReport(report, "json"),
};

/** Where a transfer report goes. @throws as `ReportFile.at` */
export async function transferReportFile(path: string, inputs: readonly string[]): Promise<ReportFile<TransferReport>> {
  return await ReportFile.at(path, FORMS, inputs);
}
