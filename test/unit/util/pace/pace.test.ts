import { describe, expect, it } from "vitest";
import { fixedPace, type Leave, Pace } from "../../../../src/util/pace/pace.ts";
import { runPaced } from "../../../../src/util/pace/run-paced.ts";

interface Line {
  readonly pace: Pace;
  readonly ended: () => number;
  /** Lets milliseconds pass. */
  readonly pass: (ms: number) => Promise<void>;
}

interface LineOptions {
  readonly max: number;
  /** Milliseconds that a task takes alone. */
  readonly taskMs: number;
  /** So many get the time that they need; more of them share it. */
  readonly width?: number;
  readonly bytesPerTask?: number;
  /** What a connection costs; each is kept for later tasks. */
  readonly connectMs?: number;
  /** How much of its speed the line has. */
  readonly speedAt?: (ms: number, pace: Pace) => number;
}

/** A server, and more work than it can do, in a time of its own. */
function line(options: LineOptions): Line {
  const { max, taskMs, width = 1000, bytesPerTask = 1000, connectMs = 0, speedAt = () => 1 } = options;
  let now = 0;
  let connections = 0;
  let ended = 0;
  const pace = new Pace({ max, now: () => now });
  const running = new Set<{ leftMs: number; readonly leave: Leave }>();
  return {
    pace,
    ended: () => ended,
    async pass(ms) {
      for (const until = now + ms; now < until; now += 1) {
        while (running.size < pace.limit) {
          const isNew = running.size === connections;
          if (isNew) connections += 1;
          running.add({ leftMs: taskMs + (isNew ? connectMs : 0), leave: await pace.enter() });
        }
        const stepMs = Math.min(1, width / running.size) * speedAt(now, pace);
        for (const task of running) {
          task.leftMs -= stepMs;
          if (task.leftMs > 0) continue;
          running.delete(task);
          pace.moved(bytesPerTask);
          task.leave();
          ended += 1;
        }
      }
    },
  };
}

describe("Pace", () => {
  it("starts at 6, and reaches its bound where each task waits for a round trip", async () => {
    const far = line({ max: 32, taskMs: 150 });
    expect(far.pace.limit).toBe(6);
    await far.pass(3000);
    expect(far.pace.limit).toBe(32);
    expect(far.ended()).toBeGreaterThan(2 * 6 * (3000 / 150));
  });

  it("does the same where tasks carry no bytes, as requests for blobs that are there already", async () => {
    const far = line({ max: 32, taskMs: 50, bytesPerTask: 0 });
    await far.pass(3000);
    expect(far.pace.limit).toBe(32);
  });

  it("does the same where each new connection costs two more round trips", async () => {
    const far = line({ max: 32, taskMs: 50, connectMs: 100 });
    await far.pass(2000);
    expect(far.pace.limit).toBe(32);
  });

  it("does the same where the line stands still for a moment, whenever that is", async () => {
    for (let from = 0; from < 2000; from += 50) {
      const far = line({ max: 32, taskMs: 50, connectMs: 100, speedAt: ms => (ms >= from && ms < from + 200 ? 0 : 1) });
      await far.pass(2600);
      expect(far.pace.limit, `stands still from ${from} ms on`).toBe(32);
    }
  });

  it("tries again soon where the whole line became slower while more were tried", async () => {
    let slowFrom = Number.POSITIVE_INFINITY;
    const speedAt = (ms: number, { limit }: Pace): number => {
      if (limit > 6) slowFrom = Math.min(slowFrom, ms);
      return ms < slowFrom ? 1 : 0.5;
    };
    const far = line({ max: 32, taskMs: 50, speedAt });
    await far.pass(4000);
    expect(far.pace.limit).toBe(32);
  });

  it("never exceeds its bound", async () => {
    for (const max of [1, 2, 6, 7, 64]) {
      const far = line({ max, taskMs: 150 });
      for (let round = 0; round < 50; round += 1) {
        await far.pass(100);
        expect(far.pace.limit).toBeLessThanOrEqual(max);
      }
      expect(far.pace.limit).toBe(max);
    }
  });

  it("stays near 6 where more at once bring no more, and asks less and less often", async () => {
    const near = line({ max: 32, taskMs: 2, width: 2 });
    const changes = async (ms: number): Promise<number> => {
      let changed = 0;
      for (let at = 0, last = near.pace.limit; at < ms; at += 50, last = near.pace.limit) {
        await near.pass(50);
        if (near.pace.limit !== last) changed += 1;
      }
      return changed;
    };
    const early = await changes(10_000);
    await changes(60_000);
    const late = await changes(60_000);
    expect(early).toBeLessThanOrEqual(6);
    expect(late).toBeLessThanOrEqual(4);
    expect(near.pace.limit).toBeLessThanOrEqual(12);
  });

  it("stops where the line is full", async () => {
    const full = line({ max: 64, taskMs: 100, width: 14 });
    await full.pass(7000);
    expect(full.pace.limit).toBeGreaterThanOrEqual(12);
    expect(full.pace.limit).toBeLessThanOrEqual(24);
  });

  it("halves when the registry refuses, once for all refusals of a moment, and grows again later", async () => {
    const far = line({ max: 32, taskMs: 150 });
    await far.pass(3000);
    for (let index = 0; index < 32; index += 1) far.pace.pushedBack();
    expect(far.pace.limit).toBe(16);
    await far.pass(2000);
    far.pace.pushedBack();
    expect(far.pace.limit).toBe(8);
    await far.pass(5000);
    expect(far.pace.limit).toBe(8);
    await far.pass(120_000);
    expect(far.pace.limit).toBe(32);
  });

  it("goes down to one", async () => {
    const far = line({ max: 32, taskMs: 150 });
    for (let index = 0; index < 10; index += 1) {
      far.pace.pushedBack();
      await far.pass(1500);
    }
    expect(far.pace.limit).toBe(1);
  });

  it("does not grow when there is too little to do", async () => {
    let now = 0;
    const pace = new Pace({ max: 32, now: () => now });
    for (let round = 0; round < 1000; round += 1) {
      const turns = await Promise.all([pace.enter(), pace.enter(), pace.enter()]);
      now += 50;
      for (const leave of turns) leave();
    }
    expect(pace.limit).toBe(6);
  });

  it("a fixed one stays as it is", async () => {
    const pace = fixedPace(12);
    expect(pace.limit).toBe(12);
    expect(pace.max).toBe(12);
  });

  it("lets tasks in in their order, and forgets those that no longer wait", async () => {
    const pace = fixedPace(1);
    const stop = new AbortController();
    const begun: string[] = [];
    const first = await pace.enter();
    const given = pace.run(async () => void begun.push("given up"), stop.signal);
    const second = pace.run(async () => void begun.push("second"));
    const third = pace.run(async () => void begun.push("third"));
    stop.abort(new Error("stopped"));
    await expect(given).rejects.toThrow("stopped");
    first();
    first();
    await Promise.all([second, third]);
    expect(begun).toEqual(["second", "third"]);
    await expect(pace.run(async () => undefined, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
  });

  it("gives the turn on that comes together with the abort", async () => {
    const pace = fixedPace(1);
    const stop = new AbortController();
    const leave = await pace.enter();
    const late = pace.enter(stop.signal);
    stop.abort(new Error("stopped"));
    leave();
    await expect(late).rejects.toThrow("stopped");
    (await pace.enter())();
  });
});

describe("runPaced()", () => {
  it("shares one limit between all that run", async () => {
    const pace = fixedPace(3);
    let running = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(resolve => setImmediate(resolve));
      running -= 1;
    };
    await Promise.all([1, 2, 3].map(async () => await runPaced([1, 2, 3, 4, 5], { pace }, task)));
    expect(most).toBe(3);
  });

  it("keeps to a smaller limit of its own", async () => {
    let running = 0;
    let most = 0;
    await runPaced([1, 2, 3, 4, 5, 6], { pace: fixedPace(6), atMost: 2 }, async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(resolve => setImmediate(resolve));
      running -= 1;
    });
    expect(most).toBe(2);
  });

  it("begins nothing after the first failure, which it throws when all have ended", async () => {
    const begun: number[] = [];
    const pace = fixedPace(2);
    const run = runPaced([1, 2, 3, 4], { pace }, async item => {
      begun.push(item);
      await new Promise(resolve => setImmediate(resolve));
      if (item === 1) throw new Error("broken");
    });
    await expect(run).rejects.toThrow("broken");
    expect(begun).toEqual([1, 2]);
    await Promise.all([pace.run(async () => undefined), pace.run(async () => undefined)]);
  });

  it("ends while it waits for a turn that others have", async () => {
    const pace = fixedPace(1);
    const stop = new AbortController();
    const leave = await pace.enter();
    const run = runPaced([1], { pace, signal: stop.signal }, async () => undefined);
    stop.abort(new Error("stopped"));
    await expect(run).rejects.toThrow("stopped");
    leave();
  });
});
