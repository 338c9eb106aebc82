import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pullFlow, pushFlow } from "./flow.ts";
import { SMALL_LAYER_BYTES } from "./images.ts";
import { createTortureScene, type TortureScene } from "./scene.ts";
import { readSettings, report, seededRandom, startClock } from "./settings.ts";

const MAX_RUNS = 8;
/** Some begin when others are about to end. */
const LATEST_START_MS = 400;
const STORAGE = 9;
const BUSY = /^Cannot write ".*out\.tar": process (?:\d+|unknown) is writing it, expected no other$/m;

const settings = readSettings();
let scene: TortureScene;
beforeAll(async () => {
  scene = await createTortureScene("concurrent", SMALL_LAYER_BYTES);
});
afterAll(() => scene?.close());

/** The trials of one half of the tests, each with its own random numbers. */
function* trials(half: number): Generator<() => number> {
  const isLate = startClock(settings);
  for (let trial = half; trial < settings.concurrent && !isLate(); trial += 2) {
    yield seededRandom(settings.seed + trial);
  }
}

/** From 2 to 8 starts, more often few, of which some fall together. */
function starts(random: () => number): readonly number[] {
  const runs = 2 + Math.floor(random() ** 2 * (MAX_RUNS - 1));
  return Array.from({ length: runs }, () => (random() < 0.5 ? 0 : random() * LATEST_START_MS));
}

test(`imgpack pull, 2 to ${MAX_RUNS} of them at once on one output (seed ${settings.seed}): who does not write it says who does`, async () => {
  const { command, name, expected } = scene;
  const figures = { trials: 0, runs: 0, "gave way": 0 };
  for (const random of trials(0)) {
    const flow = await pullFlow(scene, name, expected);
    const ends = await Promise.all(
      starts(random).map(async wait => {
        await sleep(wait);
        return await command.run(flow.words, flow.home);
      }),
    );
    for (const { code, stderr, signal } of ends) {
      expect([0, STORAGE], stderr).toContain(code);
      expect(signal).toBeNull();
      if (code === STORAGE) expect(stderr).toMatch(BUSY);
    }
    expect(ends.filter(({ code }) => code === 0).length).toBeGreaterThan(0);
    await flow.checkEnd();
    await flow.remove();
    figures.trials += 1;
    figures.runs += ends.length;
    figures["gave way"] += ends.filter(({ code }) => code === STORAGE).length;
  }
  await report("pulls at once on one output", { seed: settings.seed, ...figures });
});

test(`imgpack push, 2 to ${MAX_RUNS} of them at once to one tag (seed ${settings.seed}): all succeed`, async () => {
  const { command, archive, rawArchive, digest } = scene;
  const figures = { trials: 0, runs: 0 };
  for (const random of trials(1)) {
    const flow = await pushFlow(scene, figures.trials % 2 === 0 ? archive : rawArchive, digest);
    const ends = await Promise.all(
      starts(random).map(async wait => {
        await sleep(wait);
        return await command.run(flow.words, flow.home);
      }),
    );
    for (const ended of ends) expect(ended).toMatchObject({ code: 0 });
    await flow.checkEnd();
    await flow.remove();
    figures.trials += 1;
    figures.runs += ends.length;
  }
  await report("pushes at once to one tag", { seed: settings.seed, ...figures });
});
