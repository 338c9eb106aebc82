#!/usr/bin/env node
// The whole program in one. The package starts with launch/launch.ts instead, which keeps compiled code for the next run.
import { answerVersion } from "./launch/answer-version.ts";

const words = process.argv.slice(2);
// Nothing else is loaded for --version: scripts call it often.
if (!answerVersion(words)) await (await import("./program.ts")).run(words);
