import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parsePartName } from "../../src/archive/entry-names.ts";
import { convert, type ProgressEvent } from "../../src/index.ts";
import { temporaryFolder } from "../support/images.ts";
import { sha256 } from "../support/memory-registry.ts";
import {
  entriesOf,
  lockIn,
  pullVolumes,
  type StoredImages,
  storedImages,
  sumsOf,
  VOLUME_BYTES,
} from "./volumes-support.ts";

const NUMBERS: readonly number[] = [1, 2, 3, 4];

interface Pulled {
  readonly stored: StoredImages;
  readonly folder: string;
  /** Entries of each volume. */
  readonly volumes: readonly ReadonlyMap<string, Buffer>[];
}

async function pulled(): Promise<Pulled> {
  const stored = await storedImages();
  const folder = await temporaryFolder();
  await pullVolumes(stored, folder);
  const names = readdirSync(folder).filter(name => name.endsWith(".tar"));
  const volumes = await Promise.all(names.sort().map(async name => await entriesOf(join(folder, name))));
  return { stored, folder, volumes };
}

test("no volume is larger than asked for, and site.sha256 has the sum of each", async () => {
  const { folder } = await pulled();
  const names = readdirSync(folder).sort();
  expect(names).toEqual(["site.sha256", ...NUMBERS.map(number => `site.v0${number}.tar`)]);
  const sums = sumsOf(folder);
  const lines = names.slice(1).map(name => `${sums[name]}  ${name}\n`);
  expect(readFileSync(join(folder, "site.sha256"), "utf8")).toBe(lines.join(""));
  for (const name of names) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(VOLUME_BYTES);
});

test("each volume has the whole lock, and the place of each blob in the set", async () => {
  const { volumes } = await pulled();
  const locks = volumes.map(lockIn);
  expect(new Set(locks.map(({ id }) => id)).size).toBe(1);
  expect(new Set(locks.map(({ set }) => set?.id)).size).toBe(1);
  expect(locks.map(({ set }) => [set?.number, set?.of])).toEqual(NUMBERS.map(number => [number, NUMBERS.length]));
  for (const { blobs, set } of locks) {
    for (const [index, { digest, size }] of blobs.entries()) {
      const places = [set?.where[index] ?? []].flat();
      const parts = places.map((volume, part) => entryOf(volumes[volume - 1], digest, part + 1));
      expect(Buffer.concat(parts)).toHaveLength(size);
      expect(sha256(Buffer.concat(parts))).toBe(digest);
    }
  }
});

test("the layer that is larger than a volume is in parts, and no other", async () => {
  const { stored, volumes } = await pulled();
  const large = stored.images[2]?.layers[0]?.digest;
  const parts = volumes.flatMap(entries => [...entries.keys()].map(parsePartName).filter(part => part !== undefined));
  expect(new Set(parts.map(({ digest }) => digest))).toEqual(new Set([large]));
});

test("index.json and manifest.json of a volume name the images that are whole in it", async () => {
  const { stored, volumes } = await pulled();
  const named = volumes.map(entries => {
    const index = JSON.parse(entries.get("index.json")?.toString() ?? "") as { manifests: { digest: string }[] };
    const docker = JSON.parse(entries.get("manifest.json")?.toString() ?? "") as { Layers: string[] }[];
    expect(docker).toHaveLength(index.manifests.length);
    for (const { Layers } of docker) for (const layer of Layers) expect(entries.has(layer)).toBe(true);
    return index.manifests.map(({ digest }) => digest);
  });
  // The third has a layer in parts, the second one shares a layer that is in another volume.
  expect(named.flat().sort()).toEqual([stored.images[0]?.digest, stored.images[3]?.digest].sort());
});

test("each blob is fetched once, also one that is split", async () => {
  const { stored } = await pulled();
  const asked = blobsAsked(stored);
  expect(new Set(asked).size).toBe(asked.length);
});

test("a volume that is written alone has the same bytes, and only its own blobs are fetched", async () => {
  const { stored, folder, volumes } = await pulled();
  const sums = sumsOf(folder);
  const alone = await temporaryFolder();
  for (const number of NUMBERS) {
    const before = stored.registry.requests.length;
    let planned = 0;
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind === "planned") planned += event.blobs;
    };
    const { volumes: written, blobs } = await pullVolumes(stored, alone, { volume: number, onProgress });
    const { blobs: rows, set } = lockIn(volumes[number - 1] ?? new Map());
    const here = rows.filter(({ kind }, index) => kind !== "manifest" && [set?.where[index]].flat().includes(number));
    expect([blobs, planned]).toEqual([here.length, here.length]);
    expect(written?.map(volume => [volume.number, volume.of])).toEqual([[number, NUMBERS.length]]);
    const own = [...(volumes[number - 1]?.keys() ?? [])];
    const asked = blobsAsked(stored, before).map(digest => digest.slice("sha256:".length));
    // Configs of all images are read for their platforms.
    const configs = stored.images.map(({ config }) => config.slice("sha256:".length));
    for (const hex of asked.filter(one => !configs.includes(one)))
      expect(own.some(name => name.includes(hex))).toBe(true);
  }
  const lone = sumsOf(alone);
  for (const number of NUMBERS) {
    const name = `site.v0${number}.tar`;
    expect(lone[name]).toBe(sums[name]);
    expect(readFileSync(join(alone, `site.v0${number}.sha256`), "utf8")).toBe(`${sums[name]}  ${name}\n`);
  }
});

test("a dry run says which volumes would be written, and writes none", async () => {
  const { stored, folder } = await pulled();
  const empty = await temporaryFolder();
  const { volumes: planned } = await pullVolumes(stored, empty, { dryRun: true });
  expect(planned?.map(({ number, bytes, path }) => [number, bytes, path])).toEqual(
    NUMBERS.map(number => [
      number,
      statSync(join(folder, `site.v0${number}.tar`)).size,
      join(empty, `site.v0${number}.tar`),
    ]),
  );
  expect(readdirSync(empty)).toEqual([]);
});

test("convert splits an archive into the volumes that pull writes", async () => {
  const { stored, folder } = await pulled();
  const [single, split] = [await temporaryFolder(), await temporaryFolder()];
  await pullVolumes(stored, single, { volumeSize: undefined });
  await convert(join(single, "site.tar"), {
    output: join(split, "site.tar"),
    volumeSize: VOLUME_BYTES,
    sparse: "keep",
    platform: "linux/amd64",
  });
  expect(sumsOf(split)).toEqual(sumsOf(folder));
});

function blobsAsked({ registry }: StoredImages, from = 0): readonly string[] {
  return registry.requests
    .slice(from)
    .flatMap(({ method, path }) => (method === "GET" ? [/blobs\/(sha256:.*)$/.exec(path)?.[1]] : []))
    .filter(digest => digest !== undefined);
}

function entryOf(entries: ReadonlyMap<string, Buffer> | undefined, digest: string, part: number): Buffer {
  const hex = digest.slice("sha256:".length);
  const name = `imgpack/parts/${hex}/${String(part).padStart(4, "0")}`;
  return entries?.get(`blobs/sha256/${hex}`) ?? entries?.get(name) ?? Buffer.alloc(0);
}

test("volumes into a folder that does not exist are refused as one file is: it cannot be written", async () => {
  const folder = join(await temporaryFolder(), "absent");
  const failed = pullVolumes(await storedImages(), folder);
  await expect(failed).rejects.toMatchObject({
    exitCode: 9,
    message: `Cannot write "${join(folder, "site.v01.tar")}": no such folder, expected a writable folder`,
  });
});
