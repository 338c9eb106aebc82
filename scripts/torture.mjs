// @ts-check
// The tests in test/torture with more kills, signals and runs at once than CI has time for.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const number = /** @type {const} */ ({ type: "string" });
const usage = `usage: npm run torture -- [options] [test files]
  --kills 10000       random kills of pulls
  --signals 5000      signals at random instants of pulls and pushes
  --concurrent 1000   trials of 2 to 8 runs at once
  --cuts 1000         cuts of the power of a real disk, during pulls and pushes
  --seed 5            of all random choices
  --minutes M         each random test stops after that long; what it has done by then counts
  --large MIB         also random kills of an image of that size, such as 2048; needs five times as much room
Every point of every sweep is tried. Figures go to test-results/torture.jsonl, too.`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      kills: number,
      signals: number,
      concurrent: number,
      cuts: number,
      seed: number,
      minutes: number,
      large: number,
    },
  });
  const wanted = { kills: "10000", signals: "5000", concurrent: "1000", cuts: "1000", ...values };
  for (const [name, value] of Object.entries(wanted)) {
    if (!/^\d+(\.\d+)?$/.test(value)) throw new Error(`Cannot use --${name}: found ${value}, expected a number`);
  }
  const settings = Object.fromEntries(
    Object.entries(wanted).map(([name, value]) => [`TORTURE_${name.toUpperCase()}`, value]),
  );
  const words = [join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "torture", ...positionals];
  const { status } = spawnSync(process.execPath, words, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, TORTURE_FULL: "1", ...settings },
  });
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
  process.exitCode = 2;
}
