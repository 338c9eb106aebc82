import { UsageError } from "../../errors.ts";
import type { RemoteOptions, TransferReport } from "../../index.ts";
import { counted, escapeForeign, formatBytes, shortId } from "../../util/format.ts";
import { type Context, printLine } from "../context.ts";
import { readFlagKeys } from "../flags/flag-file.ts";
import type { MappingFlags } from "../flags/mapping-flags.ts";
import { ReportedError } from "../output/render-error.ts";
import { resultJson } from "../output/result-json.ts";
import type { Progress } from "../progress/progress.ts";
import { reportFault } from "./report-fault.ts";

export interface ReportFlags extends MappingFlags {
  readonly sources?: string[] | undefined;
  readonly base?: string[] | undefined;
  readonly report?: string | undefined;
  readonly key?: string[] | undefined;
  readonly json?: boolean | undefined;
}

/**
 * `inspect --report`: writes a file for the transfer desk.
 *
 * @throws IntegrityError, NotFoundError if it is damaged or, with a key, not whole or not signed: the report is written.
 */
export async function writeTransferReport(
  { sources = [], base, layout, map, json, ...flags }: ReportFlags,
  path: string,
  context: Context,
  options: RemoteOptions,
  progress: Progress,
): Promise<void> {
  const { signal } = context;
  const { transferReportFile } = await import("../../verbs/reporting/transfer-report-file.ts");
  const file = await transferReportFile(path, [...sources, ...(base ?? [])]);
  const key = await readFlagKeys("--key", flags.key, signal);
  const { transferReport } = await import("../../verbs/reporting/transfer-report.ts");
  const sourceDateEpoch = process.env["SOURCE_DATE_EPOCH"];
  const given = { ...options, base, layout, map, key, sourceDateEpoch };
  const report = await transferReport(sources, given).finally(() => progress.end());
  context.log?.result(report);
  await file.write(report);
  const fault = reportFault(sources, report);
  if (fault !== undefined && json === true) throw new ReportedError(fault, report);
  printLine(context, json === true ? resultJson("inspect", report) : `${escapeForeign(path)}: ${reportLine(report)}`);
  if (fault !== undefined) throw fault;
}

function reportLine({ id, counts, bytes, volumes }: TransferReport): string {
  const { new: fresh, changed, gone } = counts;
  const states = fresh === undefined ? "" : ` (${fresh} new, ${changed} changed, ${gone} gone)`;
  const missing =
    volumes === undefined || volumes.missing.length === 0
      ? ""
      : `, ${counted(volumes.missing.length, "volume")} missing`;
  const bundle = id === undefined ? "" : `bundle ${shortId(id)}, `;
  return `${bundle}${counted(counts.images, "image")}${states}, ${formatBytes(bytes.carried)} of ${formatBytes(bytes.all)}${missing}`;
}

/** @throws UsageError for flags that mean nothing with or without `--report`. */
export function checkReportFlags({ report, key }: ReportFlags, image: readonly string[] | undefined): void {
  if (report === undefined && key !== undefined) {
    throw new UsageError("Cannot use --key: no report is written, expected --report FILE", {
      hint: "imgpack verify --key FILE checks signatures.",
    });
  }
  if (report === undefined || image === undefined) return;
  throw new UsageError("Cannot use --image with --report: found a choice of images, expected all", {
    hint: "Leave out --image, or --report.",
  });
}
