import { EXIT_CODES } from "../errors.ts";
import { errorCode } from "../util/error-code.ts";
import { storageState } from "../util/system-fault.ts";

/** Ends the process at once when stdout fails. */
export function guardStdout(): void {
  process.stdout.on("error", endWithoutStdout);
}

/** Ends the process because of an error of stdout. */
export function endWithoutStdout(error: Error): void {
  const code = errorCode(error) || error.message;
  // A reader that stops early, such as head, is no error to report.
  if (code !== "EPIPE") {
    process.stderr.write(`Cannot write to stdout: ${storageState(error)}, expected it to take every byte\n`);
  }
  process.exit(EXIT_CODES.storage);
}
