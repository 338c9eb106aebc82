import { dirname } from "node:path";
import { StorageError, UsageError } from "../../errors.ts";
import { alternatives, quote } from "../../util/format.ts";
import { checkApart, checkTarget } from "../../util/output-checks.ts";
import { stat } from "../../util/read-disk.ts";
import { replaceFile } from "../../util/replace-file.ts";
import { storageState } from "../../util/system-fault.ts";

/** The forms of a report, by the ending of its file. */
export interface ReportForms<Report> {
  readonly ".html": (report: Report) => string;
  readonly ".csv": (report: Report) => string;
  readonly ".json": (report: Report) => string;
}

/** Where a report goes. Its ending decides the form. */
export class ReportFile<Report> {
  readonly #path: string;
  readonly #write: (report: Report) => string;

  private constructor(path: string, write: (report: Report) => string) {
    this.#path = path;
    this.#write = write;
  }

  /**
   * Checks, before the work that leads to a report, that it can be written.
   *
   * @param inputs files and folders that are read.
   * @throws UsageError for another ending than .html, .csv and .json, or a path in an input; StorageError for a folder that
   * does not exist.
   */
  static async at<Report>(
    path: string,
    forms: ReportForms<Report>,
    inputs: readonly string[],
  ): Promise<ReportFile<Report>> {
    const write = writerOf(path, forms);
    await checkApart(path, inputs);
    await checkTarget(path);
    const folder = await stat(dirname(path)).catch(() => undefined);
    if (folder?.isDirectory() !== true) throw unwritable(path, `no folder ${quote(dirname(path))}`);
    return new ReportFile(path, write);
  }

  /** Readers of the file see the old or the new report. @throws StorageError */
  async write(report: Report): Promise<void> {
    try {
      await replaceFile(this.#path, this.#write(report));
    } catch (cause) {
      throw unwritable(this.#path, storageState(cause, "no such folder"), cause);
    }
  }
}

function writerOf<Report>(path: string, forms: ReportForms<Report>): (report: Report) => string {
  const endings = [".html", ".csv", ".json"] as const;
  const ending = endings.find(known => path.toLowerCase().endsWith(known));
  if (ending !== undefined) return forms[ending];
  throw new UsageError(`Cannot write --report ${quote(path)}: found another ending, expected ${alternatives(endings)}`);
}

function unwritable(path: string, found: string, cause?: unknown): StorageError {
  return new StorageError(`Cannot write --report ${quote(path)}: ${found}, expected a writable file`, {
    cause,
    hint: "Name a file in a folder that exists and that you may write to, and run the same command again.",
  });
}
