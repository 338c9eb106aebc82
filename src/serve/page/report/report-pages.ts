import { shortId } from "../../../util/format.ts";
import { SingleFlight } from "../../../util/lazy/single-flight.ts";
import type { Catalogue } from "../model/catalogue.ts";
import type { PageHandler, PageRequest } from "../views/page-result.ts";
import { formatTransferReport } from "./format-report.ts";
import { readReport } from "./read-report.ts";
import { reportSheet } from "./report-sheet.ts";
import { sheetFoot, sheetName } from "./report-text.ts";
import type { TransferReport } from "./transfer-report.ts";

/** Of each catalogue that is still in use: it changes with what is served. */
const REPORTS = new WeakMap<Catalogue, TransferReport>();
/** Reports that are being made: requests that come together share one. */
const READINGS = new WeakMap<Catalogue, SingleFlight<TransferReport>>();

/** `/report`: what a printed report says, with the navigation of the pages, which is not printed. */
export const reportPage: PageHandler = async request => {
  const report = await servedReport(request);
  return {
    page: () => ({
      title: sheetName(report),
      place: "report",
      main: reportSheet(report),
      ownStyle: sheetFoot(report),
    }),
    data: () => report,
  };
};

/** `/report.csv` */
export const reportCsvFile: PageHandler = async request => file(await servedReport(request), "csv", "text/csv");

/** `/report.json` */
export const reportJsonFile: PageHandler = async request =>
  file(await servedReport(request), "json", "application/json");

function file(report: TransferReport, form: "csv" | "json", type: string): Awaited<ReturnType<PageHandler>> {
  const name = `transfer${report.id === undefined ? "" : `-${shortId(report.id)}`}.${form}`;
  return {
    contentType: `${type}; charset=utf-8`,
    body: Buffer.from(formatTransferReport(report, form)),
    headers: { "content-disposition": `attachment; filename="${name}"` },
  };
}

/** Files are not hashed for a page: it would take minutes. */
async function servedReport({ registry, catalogue, signal }: PageRequest): Promise<TransferReport> {
  const listed = await catalogue();
  const known = REPORTS.get(listed);
  if (known !== undefined) return known;
  const readings = READINGS.get(listed) ?? new SingleFlight<TransferReport>();
  READINGS.set(listed, readings);
  const report = await readings.run("report", async stop => await readReport(registry, listed, {}, stop), signal);
  REPORTS.set(listed, report);
  return report;
}
