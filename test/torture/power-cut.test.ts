import { randomUUID } from "node:crypto";
import { mkdtemp, open, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { remove } from "fs-extra/esm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verify } from "../../src/index.ts";
import { describeWith } from "../integration/peers/describe-with.ts";
import { baseFolder, type Ended, inTwoLanes, type Running } from "./command.ts";
import { CutDisk, probeCutDisk } from "./cut-disk.ts";
import { fileHash } from "./flow.ts";
import { LAYER_BYTES } from "./images.ts";
import { createTortureScene, type TortureScene } from "./scene.ts";
import { quantile, readSettings, report, seededRandom, startClock } from "./settings.ts";
import { startThrottle, type Throttle } from "./throttle.ts";

const MIB = 1024 * 1024;
const DISK_BYTES = 64 * MIB;
const RATE = 16 * MIB;
const MAX_CUTS = 3;
/** Of the time that a run takes: some cuts come when it has just said that it is done. */
const LATEST = 1.1;
const STORAGE = 9;
const OLD = "an archive that had the name before";
const KNOWN = ["lost+found", "out.tar", "out.tar.partial", "out.tar.partial.journal"];

const settings = readSettings();
const scratch = await mkdtemp(join(await baseFolder(2 * DISK_BYTES), "imgpack-cut-"));
const probe = await probeCutDisk(join(scratch, "probe"));
afterAll(async () => await remove(scratch));

describeWith([probe], "a power cut of a real disk", () => {
  let scene: TortureScene;
  beforeAll(async () => {
    scene = await createTortureScene("cuts", LAYER_BYTES);
  });
  afterAll(() => scene?.close());

  let disks = 0;
  const newDisk = async (random: () => number): Promise<{ readonly disk: CutDisk; readonly place: string }> => {
    disks += 1;
    const place = join(scratch, `${disks}`);
    return { place, disk: await CutDisk.create(place, DISK_BYTES, random() < 0.5) };
  };
  /** What the system calls the time since it started: it is another one after a power cut. */
  const newBoot = async (place: string): Promise<string> => {
    const path = join(place, `boot-${randomUUID()}`);
    await writeFile(path, `${randomUUID()}\n`);
    return path;
  };
  /** Starts, and cuts the power at a random instant; now and then all that was written reached the disk before. */
  const cutDuring = async (
    random: () => number,
    ms: number,
    disk: CutDisk,
    start: () => Promise<Running>,
  ): Promise<Running> => {
    const instant = random() * LATEST * ms;
    const synced = random() < 0.5 ? random() * instant : 0;
    const cut = await disk.arm();
    const running = await start();
    const began = performance.now();
    const waitUntil = async (time: number): Promise<void> =>
      void (await Promise.race([sleep(time + began - performance.now()), running.ended]));
    if (synced > 0) {
      await waitUntil(synced);
      await disk.sync();
    }
    await waitUntil(instant);
    await cut();
    return running;
  };
  const seeds = function* (count: () => number): Generator<number> {
    const isLate = startClock(settings);
    for (let seed = settings.seed; count() < settings.cuts / 2 && !isLate(); seed += 1) yield seed;
  };

  test(`costs a pull no right byte: ${settings.cuts / 2} cuts (seed ${settings.seed})`, async () => {
    const { command, registry, name, blobBytes } = scene;
    const lines = [await startThrottle(registry.host, RATE), await startThrottle(registry.host, RATE)];
    const idle: Throttle[] = [...lines];
    const figures = { cuts: 0, "found whole": 0, "said to be done before": 0 };
    const again: number[] = [];
    let ms = 0;
    try {
      await inTwoLanes(
        seeds(() => figures.cuts),
        async seed => {
          const random = seededRandom(seed);
          const line = idle.pop();
          if (line === undefined) throw new Error("More transfers than lines");
          const expected = await scene.expectedFrom(line.host);
          const { disk, place } = await newDisk(random);
          await using _ = disk;
          const output = join(disk.folder, "out.tar");
          const words = ["pull", `${line.host}/${name}`, "-o", output, "--platform", "linux/amd64"];
          const pull = async (): Promise<Running> =>
            command.start(words, join(place, "home"), undefined, await newBoot(place));
          const hadOld = random() < 0.4;
          if (hadOld) await writeDurably(output);
          const old = hadOld ? await fileHash(output) : undefined;
          if (ms === 0) ms = await timeOf(pull, disk, hadOld ? output : undefined);
          line.bytesDown = 0;
          let cuts = 0;
          let isWhole = false;
          for (const times = 1 + Math.floor(random() * MAX_CUTS); cuts < times && !isWhole; cuts += 1) {
            const { code, stderr } = await (await cutDuring(random, ms, disk, pull)).ended;
            expect([0, STORAGE], stderr).toContain(code);
            await disk.restart();
            const names = await readdir(disk.folder);
            expect(names.filter(found => !KNOWN.includes(found))).toEqual([]);
            const found = names.includes("out.tar") ? await fileHash(output) : undefined;
            // What stands under the name is whole, old or new; and what was said to be done stays done.
            expect([old, expected]).toContain(found);
            isWhole = found === expected;
            if (code === 0) {
              figures["said to be done before"] += 1;
              expect(isWhole).toBe(true);
            }
          }
          figures.cuts += cuts;
          if (isWhole) figures["found whole"] += 1;
          const { code, stderr } = await (await pull()).ended;
          expect(code, stderr).toBe(0);
          expect(await readdir(disk.folder)).toEqual(["lost+found", "out.tar"]);
          expect(await fileHash(output)).toBe(expected);
          if (!isWhole) again.push(Math.max(0, line.bytesDown - blobBytes) / cuts);
          idle.push(line);
        },
      );
      await report("power cuts of a pull's disk", {
        seed: settings.seed,
        ...figures,
        "MiB of the image": Number((blobBytes / MIB).toFixed(2)),
        "MiB fetched again for a cut, median": Number((quantile(again, 0.5) / MIB).toFixed(2)),
        "at most": Number((quantile(again, 1) / MIB).toFixed(2)),
      });
    } finally {
      for (const line of lines) await line.close();
    }
  });

  test(`costs a registry nothing that it took: ${settings.cuts / 2} cuts of its disk during pushes (seed ${settings.seed})`, async () => {
    const { command, archive, rawArchive, digest } = scene;
    const figures = { cuts: 0, "pushed before": 0 };
    let ms = 0;
    await inTwoLanes(
      seeds(() => figures.cuts),
      async seed => {
        const random = seededRandom(seed);
        const { disk, place } = await newDisk(random);
        await using _ = disk;
        const serve = async (): Promise<{ readonly host: string; readonly server: Running }> => {
          const words = ["serve", "--store", join(disk.folder, "store"), "--listen", "127.0.0.1:0"];
          const server = command.start(words, join(place, "home"), undefined, await newBoot(place));
          return { server, host: await addressOf(server) };
        };
        /** Into a repository of its own, by somebody who has pushed nothing before: all of it is sent. */
        const push = (host: string, name: string): Running =>
          command.start(
            ["push", seed % 2 === 0 ? archive : rawArchive, "--tag", `${host}/${name}:1`],
            join(place, `client-${name}`),
          );
        const stop = async ({ child, ended }: Running): Promise<void> => {
          child.kill("SIGKILL");
          await ended;
        };
        /** What the registry gives back is the image that was pushed. */
        const check = async (host: string, name: string): Promise<boolean> => {
          const output = join(place, "back.tar");
          const { code } = await command.run(
            ["pull", `${host}/${name}:1`, "-o", output, "--json"],
            join(place, "other"),
          );
          if (code !== 0) return false;
          expect((await verify(output)).faults).toEqual([]);
          return true;
        };
        const cuts = 1 + Math.floor(random() * MAX_CUTS);
        const done: string[] = [];
        for (let cut = 0; cut < cuts; cut += 1) {
          const { host, server } = await serve();
          if (ms === 0) {
            const start = performance.now();
            expect((await push(host, "first").ended).code).toBe(0);
            ms = performance.now() - start;
            done.push("first");
          }
          const pushing = await cutDuring(random, ms, disk, async () => push(host, `app-${cut}`));
          await stop(server);
          // It would try for a while.
          pushing.child.kill("SIGKILL");
          const { code } = await pushing.ended;
          if (code === 0) done.push(`app-${cut}`);
          await disk.restart();
        }
        figures.cuts += cuts;
        figures["pushed before"] += done.length;
        const { host, server } = await serve();
        for (const name of done) expect(await check(host, name), name).toBe(true);
        const { code, stderr, stdout } = await push(host, "last").ended;
        expect(code, stderr).toBe(0);
        expect(stdout).toContain(digest);
        expect(await check(host, "last")).toBe(true);
        await stop(server);
      },
    );
    await report("power cuts of a registry's disk", { seed: settings.seed, ...figures });
  });
});

async function writeDurably(path: string): Promise<void> {
  await using file = await open(path, "wx");
  await file.writeFile(OLD.repeat(1000));
  await file.sync();
}

/** Milliseconds of an undisturbed pull; what it wrote is gone again. */
async function timeOf(pull: () => Promise<Running>, disk: CutDisk, old: string | undefined): Promise<number> {
  const start = performance.now();
  const { code, stderr } = await (await pull()).ended;
  expect(code, stderr).toBe(0);
  const ms = performance.now() - start;
  await rm(join(disk.folder, "out.tar"));
  if (old !== undefined) await writeDurably(old);
  return ms;
}

/** What `serve` prints when it listens. */
async function addressOf({ child, ended }: Running): Promise<string> {
  let text = "";
  return await new Promise((resolve, reject) => {
    child.stdout?.on("data", (part: string) => {
      text += part;
      const [, host] = /^http:\/\/(\S+)\n/.exec(text) ?? [];
      if (host !== undefined) resolve(host);
    });
    ended.then(({ stderr }: Ended) => reject(new Error(stderr)), reject);
  });
}
