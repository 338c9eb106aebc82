import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { remove } from "fs-extra/esm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layoutFolderTarget } from "../../src/archive/write/layout-folder-target.ts";
import { StorageError } from "../../src/errors.ts";
import type { FolderState } from "./crash-model.ts";
import { causeOf, FAULTS, type Fault, withFault } from "./faults.ts";
import { OperationLog } from "./operation-log.ts";
import { promisesOf, type ReferenceImage } from "./power-loss.ts";
import { PLATFORM, type PullChoices, pullImage, referenceOf, scratchFolder, testImage } from "./pulling.ts";

const KIB = 1024;
const one: PullChoices = { concurrency: 1 };
const old: FolderState = new Map([["out.tar", Buffer.alloc(3000, "old")]]);
/** Where a run takes longer. */
const SOME: readonly Fault[] = ["ENOSPC", "short"];
const messages = new Set<string>();
const figures = { points: 0, failed: 0, survived: 0 };

let folder: string;
let small: ReferenceImage;
let large: ReferenceImage;
beforeAll(async () => {
  folder = await scratchFolder();
  const [little, big] = [
    testImage([10, 14, 21].map(size => [`layer ${size}`, size * KIB] as const)),
    testImage([
      ["big", 2.5 * KIB * KIB],
      ["small", 12 * KIB],
    ]),
  ];
  small = { image: little, bytes: await referenceOf(little) };
  large = { image: big, bytes: await referenceOf(big) };
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  console.log(
    `failing writes: ${figures.points} points, ${figures.failed} failed with exit code 9 and ${figures.survived} went on; ` +
      "0 unfinished files under a final name, 0 unjournaled bytes trusted, every next run succeeded",
  );
  for (const message of messages) if (!message.includes(".partial/")) console.log(`  ${message}`);
});

async function holding(state: FolderState): Promise<string> {
  const workFolder = join(folder, "work");
  await remove(workFolder);
  await mkdir(workFolder);
  for (const [name, bytes] of state) await writeFile(join(workFolder, name), bytes);
  return workFolder;
}

async function stateOf(workFolder: string): Promise<FolderState> {
  const names = await readdir(workFolder);
  return new Map(await Promise.all(names.map(async name => [name, await readFile(join(workFolder, name))] as const)));
}

/** What a killed run leaves, its `share` of the operations done. */
async function leftBy({ image }: ReferenceImage, share: number, choices: PullChoices): Promise<FolderState> {
  const { count } = await withFault(
    async () => await pullImage(image, join(await holding(new Map()), "out.tar"), choices),
  );
  const workFolder = await holding(old);
  const run = async (): Promise<unknown> => await pullImage(image, join(workFolder, "out.tar"), choices);
  await new OperationLog().record(run, Math.floor(count * share));
  return await stateOf(workFolder);
}

function tallied(error: unknown, fault: Fault, where: string): void {
  figures.points += 1;
  if (error === undefined) {
    figures.survived += 1;
    return;
  }
  figures.failed += 1;
  expect(error, `${where}: ${String(error)}`).toBeInstanceOf(StorageError);
  const { message, exitCode } = error as StorageError;
  expect(exitCode).toBe(9);
  expect(message, where).toContain(causeOf(fault));
  messages.add(message.replace(/"[^"]*work/, '"…'));
}

/** Every operation of a pull fails in every way, each in a run of its own; then the same command runs undisturbed. */
async function failEach(
  { image, bytes }: ReferenceImage,
  before: FolderState,
  choices: PullChoices,
  faults: readonly Fault[] = FAULTS,
): Promise<void> {
  const output = async (): Promise<string> => join(await holding(before), "out.tar");
  const path = await output();
  const { count, error: none } = await withFault(async () => await pullImage(image, path, choices));
  expect(none).toBeUndefined();
  for (let at = 0; at < count; at += 1) {
    for (const fault of faults) {
      await output();
      const notes: string[] = [];
      const { error, hit } = await withFault(
        async () => await pullImage(image, path, { ...choices, notes }),
        fault,
        at,
      );
      if (hit === undefined) continue;
      const where = `${fault} at operation ${at}, ${hit.kind} of ${hit.target.replace(folder, "")}`;
      tallied(error, fault, where);
      const state = await stateOf(join(folder, "work"));
      const final = state.get("out.tar");
      if (error === undefined) expect(final?.equals(bytes), where).toBe(true);
      else expect(final === undefined || final.equals(bytes) || before.get("out.tar")?.equals(final), where).toBe(true);
      if (fault === "short") expect(error, where).toBeUndefined();
      const kept = promisesOf(state, false).blobs.reduce((sum, blob) => sum + blob.bytes, 0);
      const fetched = await pullImage(image, path, choices);
      expect(fetched, where).toBeGreaterThanOrEqual(image.bytes - kept);
      expect((await readFile(path)).equals(bytes), where).toBe(true);
      expect(await readdir(join(folder, "work")), where).toEqual(["out.tar"]);
    }
  }
}

describe("a write that fails", { timeout: 600_000 }, () => {
  test("ends a pull with exit code 9, nothing new under its name, and the next run succeeds", async () => {
    await failEach(small, old, one);
  });

  test("ends a pull with several large blobs under way in the same way", async () => {
    await failEach(large, new Map(), { checkpointBytes: KIB * KIB }, SOME);
  });

  test("ends the resume of a killed pull in the same way", async () => {
    await failEach(large, await leftBy(large, 0.5, one), { ...one, checkpointBytes: KIB * KIB }, SOME);
    await failEach(small, await leftBy(small, 0.7, one), one, SOME);
  });

  test("ends a run that only has to remove the journal in the same way", async () => {
    const left = await leftBy(small, 0.99, one);
    expect([...left.keys()].sort()).toEqual(["out.tar", "out.tar.partial.journal"]);
    await failEach(small, left, one);
  });

  test("ends a pull into a folder in the same way", async () => {
    const workFolder = join(folder, "work", "out");
    const target = layoutFolderTarget(workFolder, { platform: PLATFORM });
    const pull = async (): Promise<unknown> => await pullImage(small.image, workFolder, { ...one, target });
    await holding(new Map());
    const { count } = await withFault(pull);
    const whole = await filesBelow(workFolder);
    for (let at = 0; at < count; at += 1) {
      for (const fault of SOME) {
        await holding(new Map());
        const { error, hit } = await withFault(pull, fault, at);
        if (hit === undefined) continue;
        const where = `${fault} at operation ${at}, ${hit.kind} of ${hit.target.replace(folder, "")}`;
        tallied(error, fault, where);
        const names = await readdir(join(folder, "work"));
        if (names.includes("out")) expect(await filesBelow(workFolder), where).toEqual(whole);
        else expect(error, where).toBeDefined();
        if (!names.includes("out")) await pull();
        expect(await filesBelow(workFolder), where).toEqual(whole);
        // A lock that could not be removed is nobody's.
        expect((await readdir(join(folder, "work"))).filter(name => name !== "out.partial.lock")).toEqual(["out"]);
      }
    }
  });
});

async function filesBelow(workFolder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(workFolder, { recursive: true, withFileTypes: true });
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(files.sort().map(async file => [file, (await readFile(file)).toString("base64")] as const)),
  );
}
