#!/usr/bin/env node
// Starts the program of the package: program.cjs next to this file, with what V8 compiled of it in an earlier run.
import { answerVersion } from "./answer-version.ts";
import { loadProgram } from "./load-program.ts";

declare const IMGPACK_PROGRAM_HASH: string;

/** V8 forgets functions that a long run no longer calls, such as those of the start. */
const MAX_CPU_MICROSECONDS = 5_000_000;

const words = process.argv.slice(2);
if (!answerVersion(words)) void launch();

async function launch(): Promise<void> {
  try {
    const { program, toKeep } = loadProgram(__dirname, words, IMGPACK_PROGRAM_HASH);
    await program.run(words);
    const isGood = process.exitCode === 0 && process.cpuUsage().user < MAX_CPU_MICROSECONDS;
    if (toKeep !== undefined && isGood) await program.keepCodeCache(toKeep);
  } catch (error) {
    (await import("./report-unreadable.ts")).reportUnreadable(error);
  }
}
