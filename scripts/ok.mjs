// @ts-check
// The checks before a commit. All of them run, also after one has failed, so that one run shows every fault.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { buildWhenStale } from "./build/when-stale.mjs";

/** npm scripts. A lane runs its scripts one after the other; the lanes run at the same time. */
const LANES = [["test:fast"], ["lint", "promises", "types", "unused", "package"]];

/** @type {{ readonly scripts: Readonly<Record<string, string>> }} */
const { scripts } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
const env = { ...process.env };
// A pipe hides from the programs that a terminal shows their output.
if (process.stdout.isTTY && env.NO_COLOR === undefined) env.FORCE_COLOR = "1";

/**
 * Prints the output of the script when the script has ended.
 *
 * @param {string} script
 * @returns {Promise<{ script: string, result: string, isPassed: boolean }>}
 */
async function run(script) {
  const started = performance.now();
  // npm itself would take half a second; the path to the programs comes from the npm that runs this file.
  const child = spawn(scripts[script] ?? "false", { env, shell: true, stdio: ["ignore", "pipe", "pipe"] });
  /** @type {Buffer[]} */
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", part => output.push(part));
  const [code, signal] = await once(child, "close");
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const isPassed = code === 0;
  const result = `${isPassed ? "passed" : `failed with ${signal ?? `exit code ${code}`}`} after ${seconds} s`;
  process.stdout.write(`\n== npm run ${script}: ${result}\n${Buffer.concat(output)}`);
  return { script, result, isPassed };
}

/** @param {readonly string[]} lane */
async function runLane(lane) {
  const ended = [];
  for (const script of lane) ended.push(await run(script));
  return ended;
}

// Tests and types import what the build makes in src/.
await buildWhenStale();
const ended = (await Promise.all(LANES.map(runLane))).flat();
console.log("");
for (const { script, result } of ended) console.log(`${script.padEnd(12)}${result}`);
process.exitCode = ended.every(({ isPassed }) => isPassed) ? 0 : 1;
