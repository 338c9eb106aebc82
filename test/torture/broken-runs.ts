import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Ended, Running, TortureCommand } from "./command.ts";
import type { Flow } from "./flow.ts";
import { quantile } from "./settings.ts";

export interface BrokenRuns {
  readonly command: TortureCommand;
  readonly flow: Flow;
  /** Runs to break off, at most; none follows when the transfer is complete. */
  readonly times: number;
  /** Milliseconds from the start of a run. */
  delay(): number;
  /** Does it. */
  strike(running: Running): Promise<Ended>;
}

export interface BrokenCount {
  /** Runs that were struck, the last one maybe too late. */
  readonly broken: number;
  /** The transfer was complete before the last run, which did all of it again. */
  readonly isComplete: boolean;
}

/** Breaks off run after run of one transfer, then lets one finish it. */
export async function breakRuns({ command, flow, times, delay, strike }: BrokenRuns): Promise<BrokenCount> {
  let broken = 0;
  let isComplete = false;
  const story: string[] = [];
  try {
    while (broken < times && !isComplete) {
      const running = command.start(flow.words, flow.home);
      const wait = delay();
      await Promise.race([sleep(wait), running.ended]);
      const ended = await strike(running);
      broken += 1;
      story.push(`${wait.toFixed(1)} ms: ${ended.signal ?? ended.code}`);
      isComplete = await flow.checkBetween();
    }
    expect(await command.run(flow.words, flow.home)).toMatchObject({ code: 0 });
    await flow.checkEnd();
  } catch (cause) {
    throw new Error(`After runs broken off (${story.join("; ")}): ${cause}`, { cause });
  }
  await flow.remove();
  return { broken, isComplete };
}

/** Milliseconds that a whole run takes here and now. */
export async function measureRun(command: TortureCommand, newFlow: () => Promise<Flow>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 3; run += 1) {
    const flow = await newFlow();
    const start = performance.now();
    expect(await command.run(flow.words, flow.home)).toMatchObject({ code: 0 });
    times.push(performance.now() - start);
    await flow.remove();
  }
  return quantile(times, 0.5);
}
