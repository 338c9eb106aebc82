import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KnownLocks } from "../../src/archive/lock/known-locks.ts";
import { convert, pull, push, StorageError, UsageError } from "../../src/index.ts";
import { openBundle } from "../../src/verbs/verifying/verify-bundle.ts";
import { seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { ScriptedRegistry } from "../support/scripted-registry.ts";
import { pullVolumes, storedImages, sumsOf, VOLUME_BYTES } from "./volumes-support.ts";

const platform = "linux/amd64";

test("a size that has no room for the metadata is refused with the smallest one that works, and that one works", async () => {
  const stored = await storedImages();
  const folder = await temporaryFolder();
  const error = await pullVolumes(stored, folder, { volumeSize: 2000, dryRun: true }).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(UsageError);
  const [, least] = /expected at least (?:.*\()?(\d+) bytes/.exec(String(error)) ?? [];
  const { volumes = [] } = await pullVolumes(stored, folder, { volumeSize: Number(least), dryRun: true });
  expect(Math.max(...volumes.map(({ bytes }) => bytes))).toBeLessThanOrEqual(Number(least));
  await expect(pullVolumes(stored, folder, { volumeSize: Number(least) - 512, dryRun: true })).rejects.toThrow(
    "found a size that is too small, expected at least ",
  );
  expect(readdirSync(folder)).toEqual([]);
});

test.each<[string, Parameters<typeof pull>[1], string]>([
  [
    "a volume that the set does not have",
    { output: "site.tar", volumeSize: VOLUME_BYTES, volume: 5 },
    "Cannot write volume 5: found a set of 4 volumes, expected a volume from 1 to 4",
  ],
  [
    "a volume without a size",
    { output: "site.tar", volume: 1 },
    "Cannot write volume 1: found no --volume-size, expected the size of the volumes",
  ],
  [
    "stdout",
    { output: process.stdout, volumeSize: "dvd" },
    "Cannot split the output into volumes: found stdout, expected the name of a file",
  ],
  [
    "a folder",
    { output: "site/", volumeSize: "dvd" },
    'Cannot split the output into volumes: found folder "site/", expected the name of a file',
  ],
  [
    "a size that is none",
    { output: "site.tar", volumeSize: "big" },
    'Cannot use --volume-size "big": found no size, expected fat32, dvd',
  ],
])("%s is refused", async (_what, options, message) => {
  const { references } = await storedImages();
  await expect(pull(references, { ...options, platform, dryRun: true })).rejects.toThrow(message);
});

test("a docker archive is not split", async () => {
  const options = { output: "site.tar", format: "docker", volumeSize: "dvd" } as const;
  await expect(convert("no.tar", options)).rejects.toThrow(
    "Cannot split the output into volumes: found format docker, expected universal or oci",
  );
});

test("volumes of another run under the same names are refused, and replaced whole with restart", async () => {
  const stored = await storedImages();
  const folder = await temporaryFolder();
  await pullVolumes(stored, folder, { volumeSize: VOLUME_BYTES / 2 });
  const old = sumsOf(folder);
  expect(Object.keys(old).length).toBeGreaterThan(6);
  const error = await pullVolumes(stored, folder).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(StorageError);
  expect(String(error)).toContain(`site.v01.tar": found a file of an earlier run`);
  expect(sumsOf(folder)).toEqual(old);
  await pullVolumes(stored, folder, { restart: true });
  const other = await temporaryFolder();
  await pullVolumes(stored, other);
  expect(sumsOf(folder)).toEqual(sumsOf(other));
});

test("a file that is no volume is never replaced, also with restart", async () => {
  const stored = await storedImages();
  for (const name of ["site.v02.tar", "site.sha256"]) {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, name), "my notes\n");
    await expect(pullVolumes(stored, folder, { restart: true })).rejects.toThrow(`${name}": found something else`);
    expect(readdirSync(folder)).toEqual([name]);
    expect(readFileSync(join(folder, name), "utf8")).toBe("my notes\n");
  }
});

test("a volume that is lost is fetched again by the same command; those that are there are checked", async () => {
  const stored = await storedImages();
  const [folder, partial] = [await temporaryFolder(), await temporaryFolder()];
  await pullVolumes(stored, folder);
  for (const name of ["site.v01.tar", "site.v03.tar", "site.v04.tar"])
    copyFileSync(join(folder, name), join(partial, name));
  const before = stored.registry.requests.length;
  await pullVolumes(stored, partial);
  expect(sumsOf(partial)).toEqual(sumsOf(folder));
  const blobs = stored.registry.requests.slice(before).filter(({ path }) => path.includes("/blobs/"));
  // The layer that the lost volume has a part of, and configs for the platforms.
  const configs = stored.images.map(({ config }) => config);
  expect(blobs.filter(({ path }) => !configs.some(digest => path.endsWith(digest)))).toHaveLength(1);
  // Damage is seen, and not overwritten.
  const bytes = readFileSync(join(partial, "site.v04.tar"));
  bytes[bytes.length - 40_000] = (bytes.at(-40_000) ?? 0) ^ 1;
  writeFileSync(join(partial, "site.v04.tar"), bytes);
  await expect(pullVolumes(stored, partial)).rejects.toThrow("were changed, expected them as they were written");
});

test("convert writes no volume over one that it reads", async () => {
  const stored = await storedImages();
  const folder = await temporaryFolder();
  await pullVolumes(stored, folder);
  const sums = sumsOf(folder);
  const inputs = readdirSync(folder).filter(name => name.endsWith(".tar"));
  const paths = inputs.map(name => join(folder, name));
  const options = { output: join(folder, "site.tar"), volumeSize: VOLUME_BYTES / 2, restart: true };
  await expect(convert(paths, options)).rejects.toThrow("it is the input");
  expect(sumsOf(folder)).toEqual(sums);
  // The name that volumes are made from may be read: they have other names.
  await convert(paths, { output: join(folder, "whole.tar") });
  await convert(join(folder, "whole.tar"), { output: join(folder, "whole.tar"), volumeSize: VOLUME_BYTES });
  const whole = sumsOf(folder);
  expect(inputs.map(name => whole[name.replace("site", "whole")])).toEqual(inputs.map(name => whole[name]));
  expect(existsSync(join(folder, "whole.tar"))).toBe(true);
});

test("verify keeps the lock of a set once, and not once for each volume", async () => {
  const folder = await temporaryFolder();
  await pullVolumes(await storedImages(), folder);
  const locks = new KnownLocks();
  const first = await openBundle(join(folder, "site.v01.tar"), locks, undefined);
  const second = await openBundle(join(folder, "site.v02.tar"), locks, undefined);
  expect(second?.layout.lock.blobs).toBe(first?.layout.lock.blobs ?? "none");
  expect([first, second].map(one => one?.layout.lock.set?.number)).toEqual([1, 2]);
  for (const one of [first, second]) await one?.file.handle.close();
});

test("named pipes under the names of unfinished volumes are neither waited for nor removed", async () => {
  const stored = await storedImages();
  const folder = await temporaryFolder();
  const pipes = ["site.v08.tar", "site.v09.tar.partial"];
  execFileSync(
    "mkfifo",
    pipes.map(name => join(folder, name)),
  );
  await pullVolumes(stored, folder, { restart: true });
  expect(readdirSync(folder)).toEqual(expect.arrayContaining([...pipes, "site.sha256", "site.v04.tar"]));
  const other = await temporaryFolder();
  execFileSync("mkfifo", [join(other, "site.v02.tar.partial")]);
  await expect(pullVolumes(stored, other)).rejects.toThrow('site.v02.tar.partial": found something else');
});

test("a raw layer that is split among volumes is pushed as one from one archive", async () => {
  const [registry, target] = [await ScriptedRegistry.start(), await ScriptedRegistry.start()];
  storeImage(registry.content, [seededBytes("raw", 150_000)], "application/vnd.oci.image.layer.v1.tar");
  const folder = await temporaryFolder();
  const reference = `${registry.host}/app:1`;
  await pull([reference], { output: join(folder, "one.tar"), platform });
  const { volumes = [] } = await pull([reference], { output: join(folder, "site.tar"), platform, volumeSize: 100_000 });
  expect(volumes.length).toBeGreaterThan(1);
  const one = await push([join(folder, "one.tar")], { to: `${target.host}/one` });
  const set = volumes.map(({ path }) => path);
  expect((await push(set, { to: `${target.host}/set` })).images[0]?.digest).toBe(one.images[0]?.digest);
  const output = join(folder, "docker.tar");
  await convert(set, { output, format: "docker" });
  expect(sumsOf(folder)["docker.tar"]).toBeDefined();
});
