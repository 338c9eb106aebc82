// Shards that replace the volumes of an earlier, larger set.
import { readdirSync, readFileSync, renameSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { verify } from "../../src/index.ts";
import { watchOperations } from "../../src/util/operation-hook.ts";
import { temporaryFolder } from "../support/images.ts";
import { keyPair } from "../support/signing-keys.ts";
import { pullVolumes, type StoredImages, storedImages, sumsOf, VOLUME_BYTES } from "./volumes-support.ts";

const LARGER: number = 2.5 * VOLUME_BYTES;
const VOLUMES = ["site.v01.tar", "site.v02.tar"];
/** The third has no volume. */
const SHARDS = ["0/3", "1/3", "2/3"] as const;
const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
] as const;
const sign = { key: keyPair("ed25519").pem };

let stored: StoredImages;
let folder: string;
/** Files that one run writes of the new set, without the sums of all. */
let whole: Readonly<Record<string, string>>;
beforeEach(async () => {
  stored = await storedImages();
  [folder, whole] = [await temporaryFolder(), {}];
  const other = await temporaryFolder();
  await pullVolumes(stored, other, { volumeSize: LARGER });
  const { "site.sha256": _, ...volumes } = sumsOf(other);
  whole = volumes;
  expect(Object.keys(whole)).toEqual(VOLUMES);
});
afterEach(() => watchOperations(undefined));

let made: ReadonlyMap<string, Buffer> | undefined;

/** A signed set of four volumes: the sums of all, those of each, and a volume with more digits. */
async function earlierSet(): Promise<void> {
  made ??= await madeSet();
  for (const [name, bytes] of made) await writeFile(join(folder, name), bytes);
}

async function madeSet(): Promise<ReadonlyMap<string, Buffer>> {
  const output = await temporaryFolder();
  await pullVolumes(stored, output, { sign });
  for (const shard of SHARDS) await pullVolumes(stored, output, { sign, shard });
  const files = readdirSync(output).map(name => [name, readFileSync(join(output, name))] as const);
  const third = files.filter(([name]) => name.includes(".v03."));
  const longer = third.map(([name, bytes]) => [name.replace("v03", "v003"), bytes] as const);
  expect([files.length, longer.length]).toEqual([2 + 3 * 4, 3]);
  return new Map([...files, ...longer]);
}

async function shardAgain(shard: string): Promise<void> {
  await pullVolumes(stored, folder, { shard, volumeSize: LARGER, restart: true });
}

async function checkIsNew(): Promise<void> {
  const { "site.v01.sha256": first, "site.v02.sha256": second, ...volumes } = sumsOf(folder);
  expect(volumes).toEqual(whole);
  expect([first, second]).not.toContain(undefined);
  const result = await verify(VOLUMES.map(name => join(folder, name)));
  expect(result.faults).toEqual([]);
}

describe("pull() with a shard and restart, over a larger set", () => {
  test.each(ORDERS)("in the order %i, %i, %i leaves the new set alone", async (...order) => {
    await earlierSet();
    for (const index of order) await shardAgain(SHARDS[index]);
    await checkIsNew();
  });

  test("all at once leave the new set alone", async () => {
    await earlierSet();
    await Promise.all(SHARDS.map(shardAgain));
    await checkIsNew();
  });

  test("a shard that another one is faster than bears that files are gone", async () => {
    await earlierSet();
    const away = await temporaryFolder();
    watchOperations(async (operation, run) => {
      if (operation.kind === "remove" && !operation.target.includes(".partial"))
        renameSync(operation.target, join(away, "gone"));
      return await run();
    });
    await shardAgain("2/3");
    watchOperations(undefined);
    expect(readdirSync(folder).filter(name => /sha256|v0+[3-9]/.test(name) && !/v0[12]/.test(name))).toEqual([]);
  });

  test("one that ends at any removal does the rest when it runs again", async () => {
    let removals = 0;
    for (let stop = 0; stop <= removals; stop += 1) {
      folder = await temporaryFolder();
      await earlierSet();
      let seen = 0;
      watchOperations(async (operation, run) => {
        if (operation.kind === "remove") {
          if (seen === stop) throw new Error("node lost");
          seen += 1;
        }
        return await run();
      });
      const ended = await shardAgain("0/3").then(
        () => "done",
        () => "lost",
      );
      watchOperations(undefined);
      removals = ended === "lost" ? stop + 1 : removals;
      // What may be removed is still known as such.
      const left = readdirSync(folder);
      for (const name of left.filter(one => one.endsWith(".sig")))
        expect(left).toContain(name.slice(0, -".sig".length));
      for (const shard of SHARDS) await shardAgain(shard);
      await checkIsNew();
    }
    // Two volumes and the sums of all, with sums and signatures.
    expect(removals).toBeGreaterThanOrEqual(8);
  });

  test("never removes a file that is no volume, no sums, or a link, nor volumes of other shards", async () => {
    await earlierSet();
    const others = ["site.v07.tar", "site.v08.sha256", "site.v04.sha256", "site.sha256", "sites.v09.tar"];
    for (const name of others) await writeFile(join(folder, name), "of someone else");
    await symlink("site.v02.tar", join(folder, "site.v06.tar"));
    await shardAgain("0/3");
    for (const name of others) expect(readFileSync(join(folder, name), "utf8")).toBe("of someone else");
    const left = readdirSync(folder);
    for (const name of ["site.v06.tar", "site.v02.tar", "site.v02.sha256", "site.v04.sha256.sig", "site.sha256.sig"])
      expect(left).toContain(name);
    for (const name of ["site.v03.tar", "site.v003.tar", "site.v04.tar"]) expect(left).not.toContain(name);
  });

  test("without restart nothing is removed", async () => {
    await earlierSet();
    const before = sumsOf(folder);
    const again = pullVolumes(stored, folder, { shard: "0/3", volumeSize: LARGER });
    await expect(again).rejects.toMatchObject({ exitCode: 9 });
    await pullVolumes(stored, folder, { shard: "2/3", volumeSize: LARGER });
    expect(sumsOf(folder)).toEqual(before);
  });
});
