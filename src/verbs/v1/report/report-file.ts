import { dirname } from "node:path";
import { StorageError, UsageError } from "../../../errors.ts";
import { escapeJson, quote } from "../../../util/format.ts";
import { checkApart, checkTarget } from "../../../util/output-checks.ts";
import { stat } from "../../../util/read-disk.ts";
import { replaceFile } from "../../../util/replace-file.ts";
import { storageState } from "../../../util/system-fault.ts";
import { csvReport } from "./csv-report.ts";
import { htmlReport } from "./html-report.ts";
import type { RescueReport } from "./rescue-report.ts";

const WRITERS: Readonly<Record<string, (report: RescueReport) => string>> = {
  ".html": htmlReport,
  ".csv": csvReport,
  ".json": jsonReport,
};

/** Where a report goes. Its ending decides the form. */
export class ReportFile {
  readonly #path: string;
  readonly #write: (report: RescueReport) => string;

  private constructor(path: string, write: (report: RescueReport) => string) {
    this.#path = path;
    this.#write = write;
  }

  /**
   * Checks, before anything is copied, that the report can be written.
   *
   * @param inputs files and folders that are read.
   * @throws UsageError for another ending than .html, .csv and .json, or a path in an input; StorageError for a folder that
   * does not exist.
   */
  static async at(path: string, inputs: readonly string[]): Promise<ReportFile> {
    const write = writerOf(path);
    await checkApart(path, inputs);
    await checkTarget(path);
    const folder = await stat(dirname(path)).catch(() => undefined);
    if (folder?.isDirectory() !== true) throw unwritable(path, `no folder ${quote(dirname(path))}`);
    return new ReportFile(path, write);
  }

  /** Readers of the file see the old or the new report. @throws StorageError */
  async write(report: RescueReport): Promise<void> {
    try {
      await replaceFile(this.#path, this.#write(report));
    } catch (cause) {
      throw unwritable(this.#path, storageState(cause, "no such folder"), cause);
    }
  }
}

function writerOf(path: string): (report: RescueReport) => string {
  const ending = Object.keys(WRITERS).find(known => path.toLowerCase().endsWith(known)) ?? "";
  const write = WRITERS[ending];
  if (write !== undefined) return write;
  throw new UsageError(`Cannot write --report ${quote(path)}: found another ending, expected .html, .csv or .json`);
}

function unwritable(path: string, found: string, cause?: unknown): StorageError {
  return new StorageError(`Cannot write --report ${quote(path)}: ${found}, expected a writable file`, {
    cause,
    hint: "Name a file in a folder that exists and that you may write to, and run the same command again.",
  });
}

function jsonReport(report: RescueReport): string {
  return `${escapeJson(JSON.stringify(report, undefined, 2))}\n`;
}
