import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { inTwoLanes, type TortureCommand } from "./command.ts";
import type { Flow } from "./flow.ts";
import { type Settings, seededRandom } from "./settings.ts";
import type { LoggedOperation, Torment } from "./watcher.ts";

export type KillPoint = NonNullable<Torment["kill"]>;

export interface Sweep<F extends Flow> {
  readonly command: TortureCommand;
  readonly settings: Settings;
  /** A transfer in its state before the run that is killed. */
  newFlow(): Promise<F>;
  /** Operations that are killed before, after and in the middle, where of others one of these is chosen. */
  isCrucial(operation: LoggedOperation): boolean;
  /** After the next run has succeeded. */
  checkAfter?(flow: F): Promise<void>;
}

export interface SweepFigures extends Record<string, number> {
  readonly operations: number;
  readonly points: number;
  readonly killed: number;
}

/** Kills a run at each point, and lets the next one finish it. */
export async function sweepKills<F extends Flow>(sweep: Sweep<F>): Promise<SweepFigures> {
  const { command } = sweep;
  const operations = await record(sweep);
  const points = choosePoints(operations, sweep);
  let killed = 0;
  await inTwoLanes(points, async kill => {
    const flow = await sweep.newFlow();
    try {
      const first = await command.run(flow.words, flow.home, { kill });
      // Operations come in another order, or number, each time: a run may end before the point.
      if (first.signal === "SIGKILL") killed += 1;
      else expect(first).toMatchObject({ code: 0 });
      await flow.checkBetween();
      expect(await command.run(flow.words, flow.home)).toMatchObject({ code: 0 });
      await flow.checkEnd();
      await sweep.checkAfter?.(flow);
    } catch (cause) {
      throw new Error(`After a kill ${kill.when} operation ${kill.at}: ${cause}`, { cause });
    }
    await flow.remove();
  });
  return { operations: operations.length, points: points.length, killed };
}

/** The operations of a run that nobody disturbs. */
async function record({
  command,
  newFlow,
}: Pick<Sweep<Flow>, "command" | "newFlow">): Promise<readonly LoggedOperation[]> {
  const flow = await newFlow();
  const log = join(flow.home, "..", "operations");
  expect(await command.run(flow.words, flow.home, { log })).toMatchObject({ code: 0 });
  await flow.checkEnd();
  const lines = (await readFile(log, "utf8")).trimEnd().split("\n");
  await flow.remove();
  return lines.map(line => JSON.parse(line) as LoggedOperation);
}

function choosePoints(
  operations: readonly LoggedOperation[],
  sweep: Pick<Sweep<Flow>, "settings" | "isCrucial">,
): readonly KillPoint[] {
  const { settings, isCrucial } = sweep;
  const random = seededRandom(settings.seed);
  return operations.flatMap((operation, index): readonly KillPoint[] => {
    const at = index + 1;
    const all: KillPoint[] = [
      { at, when: "before" },
      { at, when: "after" },
    ];
    if ((operation.length ?? 0) > 1) all.push({ at, when: "torn" });
    if (settings.isFull || isCrucial(operation)) return all;
    const one = all.splice(Math.floor(random() * all.length), 1);
    return at % 4 === 0 ? one : [];
  });
}
