#!/usr/bin/env node
import { VERSION } from "./util/version.ts";

const STORAGE = 9;
// The reader of a pipe may leave early, as head does: stop quietly, without a stack trace.
process.stdout.on("error", error => {
  if ("code" in error && error.code === "EPIPE") process.exit(STORAGE);
  throw error;
});

const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) {
  // Scripts ask for it often; it needs nothing else loaded.
  process.stdout.write(`${VERSION}\n`);
} else {
  const { main } = await import("./cli/main.ts");
  process.exitCode = await main(words);
}
