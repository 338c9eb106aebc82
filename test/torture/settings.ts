import { appendFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDir } from "fs-extra/esm";

const FIGURES = join(dirname(fileURLToPath(import.meta.url)), "../../test-results/torture.jsonl");

/** How much is done: little in CI, much by `npm run torture`, which sets the variables. */
export interface Settings {
  readonly seed: number;
  readonly kills: number;
  readonly signals: number;
  /** Trials of runs at once. */
  readonly concurrent: number;
  /** Cuts of the power of a disk, half of them during pulls. */
  readonly cuts: number;
  /** Size of the large image, in MiB; 0 leaves it out. */
  readonly largeMib: number;
  /** Every point of every operation; without it one of every fourth one, and all of those that matter most. */
  readonly isFull: boolean;
  /** After which a random test stops early; what was done by then counts. */
  readonly minutes: number;
}

export function readSettings(): Settings {
  const number = (name: string, usual: number): number => Number(process.env[`TORTURE_${name}`] ?? usual);
  return {
    seed: number("SEED", 5),
    kills: number("KILLS", 40),
    signals: number("SIGNALS", 40),
    concurrent: number("CONCURRENT", 10),
    cuts: number("CUTS", 12),
    largeMib: number("LARGE", 0),
    isFull: process.env["TORTURE_FULL"] === "1",
    minutes: number("MINUTES", Number.POSITIVE_INFINITY),
  };
}

/** Begins with a test. @returns whether its time is up */
export function startClock({ minutes }: Settings): () => boolean {
  const deadline = performance.now() + minutes * 60_000;
  return () => performance.now() >= deadline;
}

/** One line for people, and one of JSON for trends. */
export async function report(what: string, figures: Readonly<Record<string, number | string>>): Promise<void> {
  const words = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`torture: ${what}: ${words.join(", ")}\n`);
  await ensureDir(dirname(FIGURES));
  await appendFile(FIGURES, `${JSON.stringify({ what, time: new Date().toISOString(), ...figures })}\n`);
}

/** Numbers in [0, 1), the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @param share 0.5 for the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
