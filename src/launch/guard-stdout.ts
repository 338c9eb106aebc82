import { fstatSync } from "node:fs";
import type { Writable } from "node:stream";
import { EXIT_CODES } from "../errors.ts";
import { writeToDescriptorNow } from "../util/disk.ts";
import { errorCode } from "../util/error-code.ts";
import { storageState } from "../util/system-fault.ts";

const STDOUT = 1;

/** Ends the process at once when stdout fails. What happens then, docs/OUTPUT.md says. */
export function guardStdout(): void {
  process.stdout.on("error", endWithoutStdout);
  const stats = fstatSync(STDOUT);
  if (stats.isFile() || stats.isBlockDevice()) writeWhole(process.stdout);
}

/** Node's own stream for a redirected stdout takes a short write, as on a full disk, for a whole one. */
function writeWhole(stdout: Writable): void {
  stdout._write = (bytes: Uint8Array, _encoding, done) => {
    try {
      writeToDescriptorNow(STDOUT, bytes);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    done();
  };
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
