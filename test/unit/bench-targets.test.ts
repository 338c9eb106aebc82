// Targets of `npm run bench -- --only large` are held against rows that exist: a page must not say "not measured".
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

interface Target {
  readonly label: string;
  readonly metric: string;
  readonly against?: readonly string[];
  readonly isGrowth?: boolean;
}

interface Scenario {
  readonly id: string;
  readonly rows: (bench: object) => Promise<readonly { readonly label: string }[]>;
  readonly targets: readonly Target[];
}

type Results = ReadonlyMap<string, readonly object[]>;

const scripts = new URL("../../scripts/bench/", import.meta.url);
const { largeScenarios } = (await import(new URL("large-scenarios.mjs", scripts).href)) as {
  readonly largeScenarios: readonly Scenario[];
};
const { growthOf } = (await import(new URL("measure.mjs", scripts).href)) as {
  readonly growthOf: (results: Results, label: string, metric: string) => number | undefined;
};

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imgpack-test-"));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

/** Starts and writes nothing. */
function emptyBench(): object {
  const running = {
    ended: new Promise<number>(() => undefined),
    stdout: () => "127.0.0.1:9\n",
    stderr: () => "",
    kill: () => undefined,
  };
  const workspace = { folder, env: {}, run: async () => "", start: () => running, close: () => undefined };
  const registry = {
    host: () => "127.0.0.1:9",
    reset: async () => undefined,
    count: async () => ({ sent: 0, received: 0, requests: 0 }),
  };
  const archives = { image: "", large: "", hello: "", random: "", randomLarge: "" };
  return { workspace, registry, archives, tools: new Map(), bin: "", state: { isPrimed: false }, stops: [] };
}

test.each(largeScenarios)("$id", async ({ rows, targets }) => {
  const sample = { wall: 1, cpu: 1, peak: 1, sent: 1, received: 1, requests: 1 };
  const results: Results = new Map((await rows(emptyBench())).map(({ label }) => [label, [sample]]));
  for (const { label, metric, against = [], isGrowth } of targets) {
    expect([...results.keys()]).toEqual(expect.arrayContaining([label, ...against]));
    if (isGrowth === true) expect(growthOf(results, label, metric)).toBe(0);
  }
});
