// Volumes that are written when the process ends, the disk is full or the power goes: the next run has the same set, and no
// file has its name before all are whole.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { volumesTarget } from "../../src/archive/volumes/volumes-target.ts";
import { CrashModel, type FolderState } from "./crash-model.ts";
import { withFault } from "./faults.ts";
import { OperationLog } from "./operation-log.ts";
import { afterReboot } from "./power-loss.ts";
import { PLATFORM, pullImage, scratchFolder, testImage } from "./pulling.ts";
import { seeded, setting } from "./seeded.ts";

const KIB = 1024;
const STATES = setting("CRASH_STATES", 30);
/** Of the changes before the last ones, in which names are given. */
const STEP = STATES > 30 ? 1 : 24;
const LAST = 45;
/** The first is larger than a volume. */
const image = testImage([
  ["large", 70 * KIB],
  ["one", 12 * KIB],
  ["two", 17 * KIB],
]);
const moved = testImage([
  ["large", 70 * KIB],
  ["another", 20 * KIB],
]);
const figures = { kills: 0, faults: 0, cuts: 0 };
afterAll(() =>
  console.log(`volumes: ${figures.kills} kills, ${figures.faults} full disks, ${figures.cuts} power cuts`),
);

async function pull(folder: string, { of = image, restart = false, volumeBytes = 50 * KIB } = {}): Promise<void> {
  const resume = { command: "pull", restart, checkpointBytes: 16 * KIB, checkpointMs: 0 };
  const target = volumesTarget(join(folder, "site.tar"), { platform: PLATFORM, volumeBytes, resume });
  await pullImage(of, folder, { target });
}

async function stateOf(folder: string): Promise<FolderState> {
  const names = (await readdir(folder)).sort();
  return new Map(await Promise.all(names.map(async name => [name, await readFile(join(folder, name))] as const)));
}

/** Works in an empty folder, or in one of this state. */
async function inFolder<T>(work: (folder: string) => Promise<T>, state: FolderState = new Map()): Promise<T> {
  const scratch = await scratchFolder();
  const folder = join(scratch, "work");
  try {
    await mkdir(folder);
    for (const [name, bytes] of state) await writeFile(join(folder, name), bytes);
    return await work(folder);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function written(
  ...args: Parameters<typeof pull> extends [string, ...infer Rest] ? Rest : never
): Promise<FolderState> {
  return await inFolder(async folder => {
    await pull(folder, ...args);
    return await stateOf(folder);
  });
}

/** Volumes with their names have the bytes of the old set or of the new one, and one more run gives the new one. */
async function expectResumed(folder: string, wanted: FolderState, old: FolderState, where: string): Promise<void> {
  for (const [name, bytes] of await stateOf(folder)) {
    if (!name.endsWith(".tar")) continue;
    expect(
      [wanted.get(name), old.get(name)].some(one => one?.equals(bytes)),
      `${where}: ${name}`,
    ).toBe(true);
  }
  const refused = await pull(folder).then(
    () => undefined,
    error => error,
  );
  if (refused !== undefined) {
    // Nothing of the new set was there: the old one is replaced only if that is asked for again.
    expect(String(refused), where).toContain("of an earlier run");
    for (const [name, bytes] of old) expect((await stateOf(folder)).get(name)?.equals(bytes), where).toBe(true);
    await pull(folder, { restart: true });
  }
  const found = await stateOf(folder);
  expect([...found.keys()], where).toEqual([...wanted.keys()]);
  for (const [name, bytes] of wanted) expect(found.get(name)?.equals(bytes), `${where}: ${name}`).toBe(true);
}

describe("a set of volumes", { timeout: 120_000 }, () => {
  test.each([
    ["in an empty folder", false],
    ["in place of an older set with more volumes", true],
  ])("a run that ends at any change of the disk ends the same after one more run: %s", async (_what, restart) => {
    const wanted = await written();
    const old = restart ? await written({ of: moved, volumeBytes: 25 * KIB }) : new Map();
    if (restart) expect(old.size).toBeGreaterThan(wanted.size);
    const log = new OperationLog();
    await inFolder(async folder => await log.record(async () => await pull(folder, { restart })), old);
    const { length } = log.operations;
    for (let at = 0; at < length; at += at < length - LAST ? STEP : Math.ceil(STEP / 6)) {
      await inFolder(async folder => {
        await new OperationLog().record(async () => await pull(folder, { restart }), at, at % 2 === 0);
        await expectResumed(folder, wanted, old, `killed at ${at}`);
        figures.kills += 1;
      }, old);
      if (at % 4 !== 0 || restart) continue;
      await inFolder(async folder => {
        const { error } = await withFault(async () => await pull(folder), "ENOSPC", at);
        if (error !== undefined) expect(error).toMatchObject({ exitCode: 9 });
        await expectResumed(folder, wanted, old, `full at ${at}`);
        figures.faults += 1;
      });
    }
    expect(length).toBeGreaterThan(LAST);
  });

  test("a power cut at any instant costs no right byte, also between two names", async () => {
    const random = seeded(setting("SEED", 1));
    const wanted = await written();
    const log = new OperationLog();
    await inFolder(async folder => await log.record(async () => await pull(folder)));
    const model = new CrashModel(new Map(), log.operations);
    for (; figures.cuts < STATES; figures.cuts += 1) {
      // Names come last.
      const instant = figures.cuts % 2 === 0 ? random.whole(log.instants) : log.instants - random.whole(60);
      const { files, how } = model.crash(1 + instant, random);
      const rebooted = [...files].map(
        ([name, bytes]) => [name, name.endsWith(".journal") ? afterReboot(bytes) : bytes] as const,
      );
      await inFolder(async folder => await expectResumed(folder, wanted, new Map(), how), new Map(rebooted));
    }
  });
});
