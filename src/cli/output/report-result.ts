import { PartialError } from "../../errors.ts";
import type { EventLog } from "../context.ts";
import type { OutputFlags } from "../flags/output-flags.ts";

/**
 * Runs a command and prints its result, also where some of several inputs failed: what is done must be seen. With `--json`
 * the printer of the error does that, in the same object.
 *
 * @param print the result, as text or as JSON, and whether some inputs failed.
 * @param log of the run, which keeps a summary.
 */
export async function reportResult<Result>(
  { json }: OutputFlags,
  run: () => Promise<Result>,
  print: (result: Result, isPartial: boolean) => void,
  log?: EventLog | undefined,
): Promise<void> {
  let result: Result;
  try {
    result = await run();
  } catch (error) {
    if (error instanceof PartialError) log?.result(error.result);
    if (json !== true && isPartial<Result>(error) && error.result !== undefined) print(error.result, true);
    throw error;
  }
  log?.result(result);
  print(result, false);
}

function isPartial<Result>(error: unknown): error is PartialError<Result> {
  return error instanceof PartialError;
}
