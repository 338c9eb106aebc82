import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breakRuns, measureRun } from "./broken-runs.ts";
import { type PullFlow, pullFlow } from "./flow.ts";
import { createTortureScene, type TortureScene } from "./scene.ts";
import { quantile, readSettings, report, seededRandom } from "./settings.ts";
import { startThrottle } from "./throttle.ts";

const MIB = 1024 * 1024;
const LAYERS = 8;
const KILLS = 30;
/** A fast network, and slow enough that little lies in the buffers of the system when a run is killed. */
const RATE = 200 * MIB;

const settings = readSettings();
const { largeMib } = settings;

describe.skipIf(largeMib === 0)("imgpack pull of a large image (needs time, and five times its size)", () => {
  let scene: TortureScene;
  beforeAll(async () => {
    const sizes = Array.from({ length: LAYERS }, () => Math.floor((largeMib * MIB) / LAYERS));
    scene = await createTortureScene("large", sizes);
  }, 3_600_000);
  afterAll(() => scene?.close());

  test(`imgpack pull fetches little again after each of ${KILLS} random kills (seed ${settings.seed})`, async () => {
    const { command, registry, name, blobBytes } = scene;
    const line = await startThrottle(registry.host, RATE);
    try {
      const expected = await scene.expectedFrom(line.host);
      const newFlow = (): Promise<PullFlow> => pullFlow({ command, registry, host: line.host }, name, expected);
      const full = await measureRun(command, newFlow);
      const random = seededRandom(settings.seed);
      const again: number[] = [];
      for (let kill = 0; kill < KILLS; kill += 1) {
        line.bytesDown = 0;
        const { isComplete } = await breakRuns({
          command,
          flow: await newFlow(),
          times: 1,
          delay: () => random() * full,
          async strike({ child, ended }) {
            child.kill("SIGKILL");
            return await ended;
          },
        });
        if (!isComplete) again.push((100 * Math.max(0, line.bytesDown - blobBytes)) / blobBytes);
      }
      await report("random kills of a large pull", {
        seed: settings.seed,
        MiB: Math.round(blobBytes / MIB),
        "ms of a run": Math.round(full),
        kills: again.length,
        "% fetched again, median": Number(quantile(again, 0.5).toFixed(3)),
        "at most": Number(quantile(again, 1).toFixed(3)),
      });
      expect(quantile(again, 0.5)).toBeLessThan(1);
      expect(quantile(again, 1)).toBeLessThan(5);
    } finally {
      await line.close();
    }
  });
});
