import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { breakRuns, measureRun } from "./broken-runs.ts";
import { type Ended, inTwoLanes, type Running } from "./command.ts";
import { type Flow, pullFlow, pushFlow } from "./flow.ts";
import { SMALL_LAYER_BYTES } from "./images.ts";
import { createTortureScene, type TortureScene } from "./scene.ts";
import { quantile, readSettings, report, seededRandom, startClock } from "./settings.ts";
import { startThrottle } from "./throttle.ts";

const RATE = 16 * 1024 * 1024;
const MAX_SIGNALS = 6;
const CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
const NAMES = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Share of signals that are followed by a second one. */
const DOUBLED = 0.06;
const DOUBLED_WITHIN_MS = 20;
const EXIT_MS = 2000;
/** A busy machine may stop everything for a while; a hang is longer. */
const HANG_MS = 10_000;

const settings = readSettings();
let scene: TortureScene;
beforeAll(async () => {
  scene = await createTortureScene("signals", SMALL_LAYER_BYTES);
});
afterAll(() => scene?.close());

test.each(["pull", "push"] as const)(
  `imgpack %s, stopped by ${settings.signals / 2} signals at random instants (seed ${settings.seed}), exits soon and goes on the next time`,
  async verb => {
    const { command, registry, name, rawArchive, archive, digest } = scene;
    const line = await startThrottle(registry.host, RATE);
    const expected = await scene.expectedFrom(line.host);
    const slow = { command, registry, host: line.host };
    const newFlow = (seed: number): Promise<Flow> =>
      verb === "pull" ? pullFlow(slow, name, expected) : pushFlow(slow, seed % 2 === 0 ? archive : rawArchive, digest);
    const exitMs: number[] = [];
    const figures = { signals: 0, doubled: 0, "before the handlers": 0, "too late": 0 };
    let full = 0;
    try {
      full = await measureRun(command, () => newFlow(0));
      const transfers = function* (): Generator<number> {
        const wanted = settings.signals / 2;
        const isLate = startClock(settings);
        for (let seed = settings.seed; figures.signals < wanted && !isLate(); seed += 1) yield seed;
      };
      await inTwoLanes(transfers(), async seed => {
        const random = seededRandom(seed);
        const strike = async ({ child, ended }: Running): Promise<Ended> => {
          const signal = NAMES[Math.floor(random() * NAMES.length)] ?? "SIGINT";
          const isDoubled = random() < DOUBLED;
          const start = performance.now();
          child.kill(signal);
          if (isDoubled) {
            figures.doubled += 1;
            await Promise.race([sleep(random() * DOUBLED_WITHIN_MS), ended]);
            child.kill(signal);
          }
          const result = await ended;
          const took = performance.now() - start;
          // Before there is a handler, and after its end, the system ends the process.
          if (result.signal !== null) {
            expect(result.signal).toBe(signal);
            figures["before the handlers"] += 1;
          } else {
            expect([CODES[signal], 0], result.stderr).toContain(result.code);
            if (result.code === 0) figures["too late"] += 1;
            else exitMs.push(took);
          }
          expect(took).toBeLessThan(HANG_MS);
          expect(result.stderr).not.toMatch(/^\s+at |node:internal|\bunhandled/im);
          return result;
        };
        const times = 1 + Math.floor(random() * MAX_SIGNALS);
        const { broken } = await breakRuns({
          command,
          flow: await newFlow(seed),
          times,
          delay: () => random() * full,
          strike,
        });
        figures.signals += broken;
      });
    } finally {
      await line.close();
    }
    // A busy machine makes both take longer.
    expect(quantile(exitMs, 0.95)).toBeLessThan(EXIT_MS + full);
    await report(`signals at random instants of ${verb}`, {
      seed: settings.seed,
      ...figures,
      "ms to exit, median": Math.round(quantile(exitMs, 0.5)),
      "at most": Math.round(quantile(exitMs, 1)),
    });
  },
);
