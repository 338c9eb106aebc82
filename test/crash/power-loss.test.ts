import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Operation, OperationKind } from "../../src/util/operation-hook.ts";
import { runBounded } from "../../src/util/task-group.ts";
import type { FolderState } from "./crash-model.ts";
import {
  type BlobCounts,
  type Recording,
  type ReferenceImage,
  recordRuns,
  recover,
  stateWorthKeeping,
} from "./power-loss.ts";
import { referenceOf, scratchFolder, testImage } from "./pulling.ts";
import { type Seeded, seeded, setting } from "./seeded.ts";

const STATES = setting("CRASH_STATES", 2_000);
const SEED = setting("SEED", 1);
const KIB = 1024;
/** States in work at once: a file system call waits for a thread now and then. */
const CONCURRENCY = 4;

async function reference(...layers: Parameters<typeof testImage>[0]): Promise<ReferenceImage> {
  const image = testImage(layers);
  return { image, bytes: await referenceOf(image) };
}

const none: FolderState = new Map();

async function recordings(random: Seeded): Promise<{ readonly small: Recording[]; readonly large: Recording[] }> {
  const layers = [10, 12, 17, 34].map(size => [`layer ${size}`, size * KIB - 100] as const);
  const app = await reference(...layers);
  const moved = await reference(...layers.slice(0, 3), ["layer of another build", 34 * KIB - 100]);
  const big = await reference(["big", 2.5 * KIB * KIB], ["small", 12 * KIB], ["smaller", 10 * KIB]);
  const old: FolderState = new Map([["out.tar", Buffer.alloc(9000, "old archive ")]]);
  const at = (): number => 0.1 + 0.85 * (random.whole(1000) / 1000);
  const fresh = await recordRuns("fresh", [{ of: app }], none);
  const small = [
    fresh,
    await recordRuns("over an old file", [{ of: app, concurrency: 1 }], old),
    await recordRuns("few checkpoints", [{ of: app, checkpointBytes: 50 * KIB }], old),
    await recordRuns("no checkpoint", [{ of: app, checkpointBytes: KIB * KIB }], none),
    await recordRuns("killed before the journal went", [{ of: app, killedAt: 0.99 }, { of: app }], old),
    await recordRuns(
      "restarted",
      [
        { of: app, killedAt: 0.8 },
        { of: app, restart: true },
      ],
      none,
    ),
    await recordRuns(
      "not resumable",
      [
        { of: app, killedAt: 0.6, command: null },
        { of: app, command: null },
      ],
      none,
    ),
    await recordRuns("tag moved", [{ of: app, killedAt: 0.9 }, { of: moved }], old),
    await recordRuns(
      "tag moved and back",
      [{ of: app, killedAt: 0.8 }, { of: moved, killedAt: 0.7 }, { of: app }],
      none,
    ),
    await recordRuns("after a power cut", [{ of: app }], stateWorthKeeping(fresh, random)),
  ];
  for (let count = 1; count <= 4; count += 1) {
    const cut = { of: app, killedAt: at() };
    small.push(
      await recordRuns(`killed once ${count}`, [cut, { of: app }], count % 2 === 0 ? old : none),
      await recordRuns(`killed twice ${count}`, [cut, { of: app, killedAt: at(), concurrency: 1 }, { of: app }], none),
    );
  }
  const large = [
    await recordRuns("large", [{ of: big, checkpointBytes: 64 * KIB }], none),
    await recordRuns("large, killed", [{ of: big, killedAt: 0.5 }, { of: big }], old),
  ];
  return { small, large };
}

/** Recovers from so many different states. */
async function recoverMany(
  random: Seeded,
  states: number,
  recordingOf: (number: number) => Recording,
): Promise<BlobCounts> {
  const folder = await scratchFolder();
  const tally: BlobCounts = { states: 0, rebooted: 0, kept: 0, fetched: 0, paired: 0, finals: 0, seen: new Set() };
  let tried = 0;
  const work = async (_worker: number, signal: AbortSignal): Promise<void> => {
    while (tally.states < states && !signal.aborted) {
      const number = tried;
      tried += 1;
      const recording = recordingOf(number);
      const state = recording.model.crash(1 + random.whole(recording.instants), random);
      const isRebooted = random.chance(0.8);
      await recover(recording, state, { isRebooted, folder: join(folder, String(number)), tally });
    }
  };
  try {
    await runBounded(Array(CONCURRENCY).keys(), CONCURRENCY, work);
  } finally {
    await rm(folder, { recursive: true });
  }
  return tally;
}

describe("a power cut", { timeout: 6 * 3_600_000 }, () => {
  test("at any instant costs a pull no right byte, whatever of the unsynced pages, sizes and names is lost", async () => {
    const random = seeded(SEED);
    const began = Date.now();
    const { small, large } = await recordings(random);
    const tally = await recoverMany(random, STATES, number =>
      number % 40 === 0 ? random.pick(large) : (small[number % small.length] ?? random.pick(small)),
    );
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    const share = ((100 * tally.kept) / (tally.kept + tally.fetched)).toFixed(0);
    console.log(
      `power loss: ${tally.states} different states of ${small.length + large.length} recorded runs ` +
        `(${tally.rebooted} rebooted, ${tally.paired} resumable, ${tally.finals} finished), 0 wrong bytes, ` +
        `0 unsynced bytes trusted, ${share} % of the bytes kept, ${seconds} s, SEED=${SEED}`,
    );
    expect(tally.states).toBeGreaterThanOrEqual(STATES);
    expect(tally.kept).toBeGreaterThan(0);
    expect(tally.finals).toBeGreaterThan(0);
  });

  // What the model would not find here it would not find in a broken program either.
  const isOf = (operation: Operation, kind: OperationKind, suffix: string): boolean =>
    operation.kind === kind && operation.target.endsWith(suffix);
  test.each<[name: string, found: RegExp, checkpointBytes: number, forgets: (operation: Operation) => boolean]>([
    ["data before the journal", /the journal promises/, 16 * KIB, operation => isOf(operation, "datasync", ".partial")],
    [
      "data before the header",
      /may be trusted|were changed/,
      KIB * KIB,
      operation => isOf(operation, "datasync", ".partial"),
    ],
    [
      "data before the name",
      /unfinished under the final name/,
      16 * KIB,
      operation => isOf(operation, "sync", ".partial"),
    ],
  ])("is seen to do harm where a sync is missing: %s", async (_name, found, checkpointBytes, forgets) => {
    const random = seeded(SEED);
    const app = await reference(["one", 30 * KIB], ["two", 12 * KIB]);
    const recording = await recordRuns("forgetful", [{ of: app, checkpointBytes }], none, forgets);
    await expect(recoverMany(random, 5000, () => recording)).rejects.toThrow(found);
  });
});
