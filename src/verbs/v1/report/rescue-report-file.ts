import { escapeJson } from "../../../util/format.ts";
import { ReportFile, type ReportForms } from "../../files/report-file.ts";
import { csvReport } from "./csv-report.ts";
import { htmlReport } from "./html-report.ts";
import type { RescueReport } from "./rescue-report.ts";

const FORMS: ReportForms<RescueReport> = { ".html": htmlReport, ".csv": csvReport, ".json": jsonReport };

/** Where the report of a rescue goes. @throws as `ReportFile.at` */
export async function rescueReportFile(path: string, inputs: readonly string[]): Promise<ReportFile<RescueReport>> {
  return await ReportFile.at(path, FORMS, inputs);
}

function jsonReport(report: RescueReport): string {
  return `${escapeJson(JSON.stringify(report, undefined, 2))}\n`;
}
