import { PartialError, StorageError } from "../../../errors.ts";
import type { ReportFile } from "../../files/report-file.ts";
import type { RescueLedger } from "./rescue-ledger.ts";
import type { RescueReport } from "./rescue-report.ts";

/**
 * Runs a task, and writes the report of it however it ends.
 *
 * @param file undefined writes no report.
 * @throws what the task throws; PartialError with its result if it has one and the report cannot be written.
 */
export async function withReport<Result>(
  file: ReportFile<RescueReport> | undefined,
  ledger: RescueLedger,
  onNote: (message: string) => void,
  task: () => Promise<Result>,
): Promise<Result> {
  const outcome = await settled(task);
  const unwritten = await settled(async () => await file?.write(ledger.report()));
  if ("error" in unwritten && unwritten.error instanceof StorageError) {
    const result = "error" in outcome ? resultOf<Result>(outcome.error) : outcome.value;
    if (result !== undefined) throw withoutReport(unwritten.error, result, outcome);
    // The run's own error decides the exit code.
    onNote(unwritten.error.message);
  } else if ("error" in unwritten) {
    throw unwritten.error;
  }
  if ("error" in outcome) throw outcome.error;
  return outcome.value;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

async function settled<T>(task: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await task() };
  } catch (error) {
    return { error };
  }
}

function resultOf<Result>(error: unknown): Result | undefined {
  return error instanceof PartialError ? (error.result as Result) : undefined;
}

/** What is done must be seen, and what failed must be known without the report. */
function withoutReport<Result>(error: StorageError, result: Result, outcome: Outcome<Result>): PartialError<Result> {
  const partial = "error" in outcome && outcome.error instanceof PartialError ? outcome.error : undefined;
  const failures = [error, ...(partial?.failures ?? [])];
  const message = partial === undefined ? error.message : `${error.message}. ${partial.message}`;
  return new PartialError(message, failures, { result, failed: partial?.failed ?? [], hint: error.hint });
}
