// @ts-check
// Archives made and damaged by rule, read by imgpack and by three other readers. What imgpack accepts, all must read
// alike; what it refuses needs no comparison.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { difference } from "./fuzz/compare.mjs";
import { generate } from "./fuzz/generate.mjs";
import { readWithGnuTar } from "./fuzz/gnu-tar-reader.mjs";
import { mutate } from "./fuzz/mutate.mjs";
import { loadOurReader } from "./fuzz/our-reader.mjs";
import { startPython } from "./fuzz/python-reader.mjs";
import { createRandom } from "./fuzz/random.mjs";
import { readWithTarStream } from "./fuzz/tar-stream-reader.mjs";
import { startWatchdog } from "./fuzz/watchdog.mjs";

const usage = `usage: npm run fuzz:tar -- [options]
  --count 100000   mutants
  --seed 1         another number gives other mutants
  --from 0         first mutant: a failure is repeated with its seed, --from and --count 1
  --time SECONDS   stop after so long
  --keep FOLDER    put the archives that fail there
  --json           figures as one line of JSON
Needs python3 and GNU tar.`;

const BATCH = 250;
const SLOW_MS = 2000;
const SHOWN = 20;

/** @typedef {{ mutant: number, bytes: Buffer, entries: import("./fuzz/our-reader.mjs").Entry[] }} Accepted */

/** The mutant of that number; half of them keep every rule. @param {number} seed @param {number} mutant */
function archiveOf(seed, mutant) {
  const random = createRandom(seed, mutant);
  const archive = generate(random);
  return random.oneIn(2) ? archive.bytes : mutate(random, archive, () => generate(random));
}

/** @param {{ count: number, seed: number, from: number, seconds: number, keep: string | undefined }} options */
async function fuzz({ count, seed, from, seconds, keep }) {
  const started = performance.now();
  const read = await loadOurReader();
  const python = startPython();
  const watchdog = startWatchdog(seed);
  /** @type {Map<string, number>} */
  const refused = new Map();
  /** @type {Map<string, number>} */
  const complaints = new Map();
  /** @type {string[]} */
  const failures = [];
  let [mutants, accepted, slowestMs] = [0, 0, 0];
  /** @param {Map<string, number>} counts @param {string} key */
  const add = (counts, key) => void counts.set(key, (counts.get(key) ?? 0) + 1);
  /** @param {number} mutant @param {Buffer} bytes @param {string} found */
  const fail = (mutant, bytes, found) => {
    failures.push(`seed ${seed}, mutant ${mutant}: ${found}`);
    if (failures.length <= SHOWN) process.stderr.write(`${failures.at(-1)}\n`);
    if (keep === undefined) return;
    mkdirSync(keep, { recursive: true });
    writeFileSync(join(keep, `${seed}-${mutant}.tar`), bytes);
  };
  /** @param {readonly Accepted[]} batch */
  const compare = async batch => {
    const gnu = readWithGnuTar(batch.map(({ bytes }) => bytes));
    const snake = Promise.all(batch.map(({ bytes }) => python.read(bytes)));
    const streams = [];
    for (const { bytes } of batch) streams.push(await readWithTarStream(bytes));
    const readings = Object.entries({ "GNU tar": await gnu, tarfile: await snake, "tar-stream": streams });
    for (const [at, { mutant, bytes, entries }] of batch.entries()) {
      for (const [reader, results] of readings) {
        const reading = results[at] ?? { entries: [], error: "no answer" };
        if (reading.error !== undefined) add(complaints, reader);
        const found = difference(entries, reading);
        if (found !== undefined) fail(mutant, bytes, `${reader} reads ${found}`);
      }
    }
  };
  /** @type {Accepted[]} */
  let batch = [];
  let comparing = Promise.resolve();
  for (let mutant = from; mutant < from + count && (performance.now() - started) / 1000 < seconds; mutant += 1) {
    const bytes = archiveOf(seed, mutant);
    mutants += 1;
    watchdog.watch(mutant);
    const begun = performance.now();
    try {
      const verdict = await read(bytes);
      if ("refused" in verdict) add(refused, verdict.refused);
      else {
        accepted += 1;
        batch.push({ mutant, bytes, entries: verdict.entries });
      }
    } catch (error) {
      fail(mutant, bytes, `we throw ${error instanceof Error ? error.stack : String(error)}`);
    }
    watchdog.watch(-1);
    const ms = performance.now() - begun;
    slowestMs = Math.max(slowestMs, ms);
    if (ms > SLOW_MS) fail(mutant, bytes, `we take ${Math.round(ms)} ms`);
    if (batch.length < BATCH) continue;
    await comparing;
    comparing = compare(batch);
    batch = [];
  }
  await comparing;
  await compare(batch);
  python.stop();
  await watchdog.stop();
  return {
    seed,
    mutants,
    accepted,
    failures: failures.length,
    complaints: Object.fromEntries(complaints),
    slowestMs: Math.round(slowestMs),
    seconds: Math.round((performance.now() - started) / 100) / 10,
    refused: Object.fromEntries([...refused].sort(([, left], [, right]) => right - left)),
  };
}

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    time: { type: "string", default: "Infinity" },
    keep: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const { count, seed, from, time, keep } = values;
const numbers = { count: Number(count), seed: Number(seed), from: Number(from), seconds: Number(time) };
if (values.help || Object.values(numbers).some(Number.isNaN)) {
  process.stdout.write(`${usage}\n`);
} else {
  execFileSync("tar", ["--version"]);
  execFileSync("python3", ["--version"]);
  const { refused, complaints, ...figures } = await fuzz({ ...numbers, keep });
  if (values.json) process.stdout.write(`${JSON.stringify({ ...figures, complaints, refused })}\n`);
  else {
    process.stdout.write(
      `${Object.entries(figures)
        .map(([name, value]) => `${name} ${value}`)
        .join(", ")}\n`,
    );
    process.stdout.write(`accepted, but another reader complains: ${JSON.stringify(complaints)}\n`);
    for (const [reason, times] of Object.entries(refused)) process.stdout.write(`  refused ${reason}: ${times}\n`);
  }
  if (figures.failures > 0) process.exitCode = 1;
}
