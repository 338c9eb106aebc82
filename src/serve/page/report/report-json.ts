import { escapeJson } from "../../../util/format.ts";
import type { TransferReport } from "./transfer-report.ts";

/** All of it, with the names of the type; safe to show in a terminal. */
export function reportJson(report: TransferReport): string {
  return `${escapeJson(JSON.stringify(report, undefined, 2))}\n`;
}
