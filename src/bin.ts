#!/usr/bin/env node
import { EXIT_CODES } from "./errors.ts";
import { errorCode } from "./util/error-code.ts";
import { VERSION } from "./util/version.ts";

process.stdout.on("error", error => {
  const code = errorCode(error) || error.message;
  // A reader that stops early, such as head, is no error to report.
  if (code !== "EPIPE") {
    const found = code === "ENOSPC" ? "no space left" : code;
    process.stderr.write(`Cannot write to stdout: ${found}, expected it to take every byte\n`);
  }
  process.exit(EXIT_CODES.storage);
});

const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) {
  // Scripts call it often, so nothing else is loaded.
  process.stdout.write(`${VERSION}\n`);
} else {
  const { endSoonAfter, main } = await import("./cli/main.ts");
  process.exitCode = await main(words);
  endSoonAfter(process.exitCode);
}
