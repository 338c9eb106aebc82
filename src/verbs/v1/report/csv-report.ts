import { formatCsv } from "../../../util/csv/format-csv.ts";
import { isFailure, type ReportedFailure, type ReportedImage, type RescueReport } from "./rescue-report.ts";

const COLUMNS = ["source", "status", "id", "target", "digest", "config", "bytes", "error", "message", "hint"] as const;

/** The rows of a report as CSV (RFC 4180). */
export function csvReport({ images, dryRun }: RescueReport): string {
  return formatCsv([COLUMNS, ...images.map(image => cellsOf(image, dryRun))]);
}

function cellsOf(image: ReportedImage | ReportedFailure, dryRun: boolean): readonly string[] {
  if (isFailure(image)) {
    const { code, message, hint = "" } = image.error;
    return [image.source, "failed", "", "", "", "", "", code, message, hint];
  }
  const { source, id, target, digest = "", config = "", bytes } = image;
  return [source, dryRun ? "planned" : "copied", id, target, digest, config, String(bytes), "", "", ""];
}
