#!/usr/bin/env node
import { EXIT_CODES } from "./errors.ts";
import { errorCode } from "./util/error-code.ts";
import { storageState, systemFault } from "./util/system-fault.ts";
import { VERSION } from "./util/version.ts";

process.stdout.on("error", error => {
  const code = errorCode(error) || error.message;
  // A reader that stops early, such as head, is no error to report.
  if (code !== "EPIPE") {
    process.stderr.write(`Cannot write to stdout: ${storageState(error)}, expected it to take every byte\n`);
  }
  process.exit(EXIT_CODES.storage);
});

const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) {
  // Scripts call it often, so nothing else is loaded.
  process.stdout.write(`${VERSION}\n`);
} else {
  try {
    const { endSoonAfter, main } = await import("./cli/main.ts");
    process.exitCode = await main(words);
    endSoonAfter(process.exitCode);
  } catch (error) {
    // With too few open files, not even the program's own files can be read.
    const fault = systemFault("read", "imgpack", error);
    if (fault === undefined) throw error;
    process.stderr.write(`${fault.message}\n${fault.hint ?? ""}\n`);
    process.exitCode = fault.exitCode;
  }
}
