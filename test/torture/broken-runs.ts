import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Ended, Running, TortureCommand } from "./command.ts";
import type { Flow } from "./flow.ts";
import { quantile } from "./settings.ts";

export interface BrokenRuns {
  readonly command: TortureCommand;
  readonly flow: Flow;
  /** Runs to break off, at most; one that succeeds ends the transfer. */
  readonly times: number;
  /** Milliseconds from the start of a run. */
  delay(): number;
  /** Does it. */
  strike(running: Running): Promise<Ended>;
}

/** Breaks off run after run of one transfer, then lets one finish it. @returns the number of runs broken off. */
export async function breakRuns({ command, flow, times, delay, strike }: BrokenRuns): Promise<number> {
  let broken = 0;
  const story: string[] = [];
  try {
    while (broken < times) {
      const running = command.start(flow.words, flow.home);
      const wait = delay();
      await Promise.race([sleep(wait), running.ended]);
      const ended = await strike(running);
      broken += 1;
      story.push(`${wait.toFixed(1)} ms: ${ended.signal ?? ended.code}`);
      await flow.checkBetween();
      if (ended.code === 0) break;
    }
    expect(await command.run(flow.words, flow.home)).toMatchObject({ code: 0 });
    await flow.checkEnd();
  } catch (cause) {
    throw new Error(`After runs broken off (${story.join("; ")}): ${cause}`, { cause });
  }
  await flow.remove();
  return broken;
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
