import { afterAll, beforeAll, expect, test } from "vitest";
import { breakRuns, measureRun } from "./broken-runs.ts";
import { inTwoLanes } from "./command.ts";
import { pullFlow, pushFlow } from "./flow.ts";
import { SMALL_LAYER_BYTES } from "./images.ts";
import { createTortureScene, type TortureScene } from "./scene.ts";
import { quantile, readSettings, report, seededRandom, startClock } from "./settings.ts";
import { startThrottle, type Throttle } from "./throttle.ts";

const MIB = 1024 * 1024;
/** A pull takes about 0.3 s, half of it to start. */
const RATE = 24 * MIB;
const MAX_KILLS = 4;
/** One transfer of so many is a push. */
const PUSH_EVERY = 4;
/** Later than a run takes: some kills come when nothing is left to break. */
const LATEST = 1.1;

const settings = readSettings();
let scene: TortureScene;
beforeAll(async () => {
  scene = await createTortureScene("kills", SMALL_LAYER_BYTES);
});
afterAll(() => scene?.close());

interface Line {
  readonly throttle: Throttle;
  readonly host: string;
  readonly expected: string;
}

async function startLine(): Promise<Line> {
  const throttle = await startThrottle(scene.registry.host, RATE);
  const { host } = throttle;
  return { throttle, host, expected: await scene.expectedFrom(host) };
}

test(`imgpack pull and push, killed at ${settings.kills} random instants (seed ${settings.seed}), end with the identical archive, or tag`, async () => {
  const { command, registry, name, blobBytes, digest } = scene;
  const lines = [await startLine(), await startLine()] as const;
  const idle = [...lines];
  try {
    const [{ host, expected }] = lines;
    const full = await measureRun(command, () => pullFlow({ command, registry, host }, name, expected));
    const again: number[] = [];
    let kills = 0;
    let late = 0;
    let pushes = 0;
    const transfers = function* (): Generator<number> {
      const isLate = startClock(settings);
      for (let seed = settings.seed; kills < settings.kills && !isLate(); seed += 1) yield seed;
    };
    await inTwoLanes(transfers(), async seed => {
      // Each of the two transfers under way has a line of its own, which counts its bytes.
      const own = idle.pop();
      if (own === undefined) throw new Error("More transfers than lines");
      const random = seededRandom(seed);
      const slow = { command, registry, host: own.host };
      const isPush = seed % PUSH_EVERY === 0;
      const archive = seed % (2 * PUSH_EVERY) === 0 ? scene.archive : scene.rawArchive;
      const flow = isPush ? await pushFlow(slow, archive, digest) : await pullFlow(slow, name, own.expected);
      own.throttle.bytesDown = 0;
      const times = 1 + Math.floor(random() * MAX_KILLS);
      const { broken, isComplete } = await breakRuns({
        command,
        flow,
        times,
        delay: () => random() * LATEST * full,
        async strike({ child, ended }) {
          child.kill("SIGKILL");
          const result = await ended;
          expect([0, null]).toContain(result.code);
          return result;
        },
      });
      kills += broken;
      if (isPush) pushes += 1;
      else if (isComplete) late += 1;
      else again.push(Math.max(0, own.throttle.bytesDown - blobBytes) / broken);
      idle.push(own);
    });
    const percent = (bytes: number): number => Number(((100 * bytes) / blobBytes).toFixed(2));
    await report("random kills of pull and push", {
      seed: settings.seed,
      kills,
      transfers: again.length + late + pushes,
      pushes,
      "too late": late,
      "ms of a run": Math.round(full),
      "MiB of the image": Number((blobBytes / MIB).toFixed(2)),
      "% pulled again for a kill, median": percent(quantile(again, 0.5)),
      "at most": percent(quantile(again, 1)),
    });
  } finally {
    for (const { throttle } of lines) await throttle.close();
  }
});
