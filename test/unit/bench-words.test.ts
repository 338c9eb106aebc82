// What pages of the bench say around their figures: each sentence is true of the rows of that page.
import { expect, test } from "vitest";

type Sample = Readonly<Record<string, number>>;
type All = ReadonlyMap<string, ReadonlyMap<string, readonly Sample[]>>;
interface Scenario {
  readonly id: string;
}

const load = async <T>(name: string): Promise<T> =>
  (await import(new URL(`../../scripts/bench/${name}`, import.meta.url).href)) as T;
const { heading, explanation } = await load<{
  readonly heading: (measured: readonly Scenario[], all: All, command: string) => string;
  readonly explanation: (measured: readonly Scenario[], all: All) => string;
}>("introduction.mjs");
const { section } = await load<{ readonly section: (scenario: Scenario, all: All) => string }>("report.mjs");
const { expectations } = await load<{ readonly expectations: (all: All) => string }>("expectations.mjs");
const { scenarios } = await load<{ readonly scenarios: readonly Scenario[] }>("scenarios.mjs");

const SAMPLE: Sample = { wall: 12.3, cpu: 9, peak: 400 * 2 ** 20, sent: 0, received: 0, requests: 1 };

/** The scenario of the id, with the same sample in each run of each row. */
function measured(id: string, labels: readonly string[], runs: number): readonly [Scenario, All] {
  const scenario = scenarios.find(each => each.id === id);
  if (scenario === undefined) throw new Error(`no scenario ${id}`);
  return [scenario, new Map([[id, new Map(labels.map(label => [label, Array<Sample>(runs).fill(SAMPLE)]))]])];
}

const LARGE = ["imgpack lock, 1,000 images", "imgpack pull --dry-run, 1,000 images"];

test("a page without peers names none, and has its own title", () => {
  const [scenario, all] = measured("large-blobs", LARGE, 1);
  const text = `${heading([scenario], all, "npm run bench")}\n${explanation([scenario], all)}`;
  expect(text).toMatch(/^# Benchmarks: many images, large archives\n\nimgpack, without peers, in one run/);
  expect(text).toContain(
    "Each cell is of one run. CPU and peak memory come from GNU time. The registries are synthetic",
  );
  expect(text).not.toMatch(/side by side|take turns|docker-registry|ratio|parentheses/);
});

test("a ratio says which row is the first one", () => {
  const [scenario, all] = measured("pace-near-pull", ["imgpack --concurrency 6", "imgpack"], 3);
  expect(explanation([scenario], all)).toContain("first row, `imgpack --concurrency 6`, divided by that of the row");
});

test("a target that is missed says why", () => {
  const [scenario, all] = measured("large-blobs", LARGE, 1);
  expect(section(scenario, all)).toMatch(
    /\| CPU of lock \| ≤ 5\.00 \| 9\.00 \| \*\*missed\*\* \|[\s\S]*\n- Why CPU of lock is missed: for each image/,
  );
});

test("a page of many images begins with what to expect of time and memory", () => {
  const [, all] = measured("large-blobs", LARGE, 1);
  const text = expectations(all);
  expect(text).toContain("| lock | 13 s | 400 MiB |");
  expect(text).toContain("1,000 images, 512 MiB; 10,000 images, not measured");
  expect(expectations(new Map())).toBe("");
});
